package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.repopt4j.data.BatchLoader;
import org.repopt4j.data.DataSets;
import org.repopt4j.data.Split;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.LoadReport;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.train.Evaluator;
import org.repopt4j.train.RunSettings.Precision;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code repopt eval}: accuracy of saved weights. */
@Command(
    name = "eval",
    description = "Evaluates saved weights (safetensors of a run, or .pth) on a test set.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class EvalCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "WEIGHTS",
      description = "best.safetensors of a run, or a state dict saved by Python.")
  private Path weights;

  @Mixin private ArchitectureOptions architecture = new ArchitectureOptions();

  @Option(
      names = "--mode",
      paramLabel = "MODE",
      description =
          "target, csla, hs, repvgg or deploy (default: what the file says, else target).")
  private String mode;

  @Mixin private DataOptions data = new DataOptions();

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Option(names = "--no-strict", description = "Take the weights that fit and say how many do not.")
  private boolean noStrict;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    TensorFile file = StateDicts.read(weights);
    Map<String, String> said = file.metadata();
    Architecture arch = SavedWeights.architecture(weights, file, architecture);
    Mode which =
        mode == null && !said.containsKey("mode")
            ? Mode.TARGET
            : SavedWeights.mode(weights, file, mode);
    String named =
        spec.commandLine().getParseResult().hasMatchedOption("--data")
            ? data.data()
            : said.getOrDefault("data", data.data());
    int batch = data.valBatch(0);
    Precision precision = compute.precision();
    StopSignals signals = StopSignals.install();
    ComputeDevice device = compute.open();
    precision.apply(device);
    Split split = DataSets.open(named, data.dataDir);
    SavedWeights.checkSize(weights, file, arch, which, split.test().classes());
    Network network = arch.build(which, split.test().classes());
    load(network, file, arch + " " + which);
    network.to(device.device(), /* non_blocking= */ false);
    Evaluator.Result result =
        new Evaluator(device, precision)
            .evaluate(network, BatchLoader.evaluation(split.test(), batch).on(device), signals);
    boolean stopped = result.images() < split.test().size();
    print(arch, which, named, result, stopped);
    return signals.exitCode().orElse(Failures.OK);
  }

  /** Takes the weights; what does not fit is counted, with the first of each kind named. */
  private void load(Network network, TensorFile file, String wanted) {
    LoadReport report = network.loadStateDict(file.tensors(), /* strict= */ false);
    if (report.isComplete()) {
      return;
    }
    Map<String, String> said = file.metadata();
    String origin =
        said.containsKey("architecture")
            ? " (the file says it is "
                + said.get("architecture")
                + " "
                + said.getOrDefault("mode", "scales")
                + ")"
            : "";
    String misfit = weights + " does not fit " + wanted + ": " + summary(report) + origin;
    checkArgument(
        noStrict, "%s; name what it is for with --arch, --mode and --data", (Object) misfit);
    spec.commandLine().getErr().println("repopt: " + misfit);
  }

  private static String summary(LoadReport report) {
    List<String> parts = new ArrayList<>();
    count(parts, "missing", report.missing());
    count(parts, "unexpected", report.unexpected());
    count(parts, "of another shape", report.misshapen());
    return String.join("; ", parts);
  }

  private static void count(List<String> parts, String what, List<?> names) {
    if (!names.isEmpty()) {
      parts.add(names.size() + " " + what + (names.size() > 1 ? ", first " : ": ") + names.get(0));
    }
  }

  private void print(
      Architecture arch, Mode which, String named, Evaluator.Result result, boolean stopped) {
    if (json) {
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("architecture", arch.spec());
      map.put("mode", which.toString());
      map.put("data", named);
      map.put("stopped", stopped);
      map.put("images", result.images());
      map.put("top1", result.top1());
      map.put("top5", result.top5());
      map.put("loss", result.loss());
      map.put("images_per_second", result.imagesPerSecond());
      spec.commandLine().getOut().println(Json.of(map));
    } else {
      spec.commandLine()
          .getOut()
          .printf(
              Locale.ROOT,
              "%s %s on %s%d test images of %s: top-1 %.2f%%, top-5 %.2f%%, loss %.4f, %.0f"
                  + " images/s%n",
              arch,
              which,
              stopped ? "only the first " : "",
              result.images(),
              named,
              100 * result.top1(),
              100 * result.top5(),
              result.loss(),
              result.imagesPerSecond());
    }
    spec.commandLine().getOut().flush();
  }
}
