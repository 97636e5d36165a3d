package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.repopt4j.bench.BenchReport;
import org.repopt4j.bench.BenchSettings;
import org.repopt4j.bench.BenchSettings.What;
import org.repopt4j.bench.Benchmark;
import org.repopt4j.bench.LargestBatch;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.io.AtomicFile;
import org.repopt4j.nn.Scales;
import org.repopt4j.optim.Engine;
import org.repopt4j.search.ScalesFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code repopt bench}: how long a step takes. */
@Command(
    name = "bench",
    description =
        "Times training steps, inference, or the optimizer alone beside the machine's memory"
            + " limit.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class BenchCommand implements Callable<Integer> {
  private static final String STDOUT = "-";

  @Spec private CommandSpec spec;

  @Option(
      names = "--what",
      paramLabel = "STEP",
      description =
          "train, inference, or update: the optimizer's step alone (default: ${DEFAULT-VALUE}).")
  private String what = "train";

  @Mixin private ArchitectureOptions architecture = new ArchitectureOptions();

  @Option(
      names = "--mode",
      paramLabel = "MODE",
      description =
          "target, csla, hs, repvgg, or deploy for inference (default: ${DEFAULT-VALUE}).")
  private String mode = "target";

  @Option(
      names = "--scales",
      paramLabel = "FILE",
      description =
          "Scales of the Grad Mults, as for 'repopt train' (default: random ones of both signs).")
  private Path scales;

  @Option(
      names = "--num-classes",
      paramLabel = "N",
      description = "Classes (default: ${DEFAULT-VALUE}).")
  private int numClasses = 1000;

  @Option(
      names = {"-b", "--batch-size"},
      paramLabel = "N",
      description = "Images a step (default: ${DEFAULT-VALUE}).")
  private int batchSize = 32;

  @Option(
      names = "--resolution",
      paramLabel = "N",
      description = "Height and width of the images (default: ${DEFAULT-VALUE}).")
  private int resolution = 32;

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Option(
      names = "--recompute",
      description = "Compute activations again in backward instead of keeping them.")
  private boolean recompute;

  @Option(
      names = "--find-batch",
      description =
          "Instead of times, find the largest batch whose training step fits into a CUDA device's"
              + " memory.")
  private boolean findBatch;

  @Option(
      names = "--opt",
      paramLabel = "NAME",
      description =
          "sgd, adamw (exact for any scales) or adamw-official (default: ${DEFAULT-VALUE}).")
  private String opt = "sgd";

  @Option(
      names = "--engine",
      paramLabel = "NAME",
      description = "What carries out the update (default: what 'repopt train' takes).")
  private String engine;

  @Option(
      names = "--warmup",
      paramLabel = "N",
      description = "Runs that do not count (default: ${DEFAULT-VALUE}).")
  private int warmup = 5;

  @Option(
      names = "--repeats",
      paramLabel = "N",
      description = "Runs that do (default: ${DEFAULT-VALUE}).")
  private int repeats = 30;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of weights, images and random scales (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description =
          "Write all numbers as JSON as well; - for standard output, in the place of the text.")
  private String json;

  @Override
  public Integer call() throws IOException {
    BenchSettings settings = settings();
    checkJson();
    checkArgument(
        scales == null || settings.usesScales(),
        "--scales goes with --mode target, csla or hs and with a step that trains, got: --what %s"
            + " --mode %s",
        what,
        settings.mode());
    Optional<Scales> read =
        scales == null ? Optional.empty() : Optional.of(ScalesFile.read(scales, settings.arch()));
    StopSignals signals = StopSignals.install();
    BenchProgress progress = new BenchProgress(spec.commandLine().getErr());
    boolean failed = false;
    try {
      if (findBatch) {
        LargestBatch.Report report = new LargestBatch(settings, read, progress, signals).run();
        progress.end();
        failed = report.batchSize().isEmpty();
        print(BenchNumbers.of(report), BenchText.of(report));
      } else {
        BenchReport report = new Benchmark(settings, read, progress, signals).run();
        progress.end();
        print(BenchNumbers.of(report), BenchText.of(report));
      }
    } finally {
      progress.end();
    }
    return signals.exitCode().orElse(failed ? Failures.CHECK_FAILED : Failures.OK);
  }

  private void print(Map<String, Object> map, String text) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    String numbers = Json.of(map);
    if (STDOUT.equals(json)) {
      out.println(numbers);
    } else {
      out.print(text);
      if (json != null) {
        byte[] bytes = (numbers + System.lineSeparator()).getBytes(StandardCharsets.UTF_8);
        AtomicFile.write(Path.of(json), AtomicFile.bytes(bytes));
      }
    }
    out.flush();
  }

  private BenchSettings settings() {
    return new BenchSettings(
        Choice.of("--what", What.class, what),
        architecture.architecture(),
        ModeOption.parse(mode),
        numClasses,
        batchSize,
        resolution,
        compute.precision(),
        compute.channelsLast(),
        recompute,
        compute.device(),
        compute.threads(),
        rule(),
        engine == null
            ? Optional.empty()
            : Optional.of(Choice.of("--engine", Engine.class, engine)),
        warmup,
        repeats,
        seed);
  }

  private UpdateRule rule() {
    return switch (Choice.oneOf("--opt", List.of("sgd", "adamw", "adamw-official"), opt)) {
      case "sgd" -> UpdateRule.SGD;
      case "adamw" -> UpdateRule.ADAMW_EXACT;
      default -> UpdateRule.ADAMW_OFFICIAL;
    };
  }

  /** What takes minutes must not fail at its end. */
  private void checkJson() {
    if (json == null || json.equals(STDOUT)) {
      return;
    }
    Path file = Path.of(json).toAbsolutePath();
    checkArgument(
        Files.isDirectory(file.getParent()),
        "--json %s cannot be written: its folder does not exist",
        json);
    checkArgument(!Files.isDirectory(file), "--json %s cannot be written: it is a folder", json);
  }
}
