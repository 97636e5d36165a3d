package org.repopt4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.nn.Scales;
import org.repopt4j.search.ScalesFile;
import org.repopt4j.train.CheckpointSettings;
import org.repopt4j.train.Session;
import org.repopt4j.train.TrainConfig;
import org.repopt4j.train.TrainResult;
import org.repopt4j.train.Trainer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code repopt train}: trains one network. */
@Command(
    name = "train",
    description =
        "Trains a network; --mode target with --scales uses a RepOptimizer, otherwise a plain optimizer.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class TrainCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--mode",
      paramLabel = "MODE",
      description = "target, csla, hs or repvgg (default: ${DEFAULT-VALUE}).")
  private String mode = "target";

  @Option(
      names = "--scales",
      paramLabel = "FILE",
      description = "Searched scales: scales.safetensors of 'repopt search' or a released .pth.")
  private Path scales;

  @Mixin private TrainOptions options = new TrainOptions();

  @Mixin private CheckpointOptions checkpointOptions = new CheckpointOptions();

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    TrainConfig config = options.config(ModeOption.parse(mode), scales);
    Optional<Scales> read =
        scales == null ? Optional.empty() : Optional.of(ScalesFile.read(scales, config.arch()));
    CheckpointSettings checkpoints = checkpointOptions.settings();
    options.checkOutput(checkpoints);
    StopSignals signals = StopSignals.install();
    Session session = Session.open(config, read, checkpoints);
    ProgressPrinter printer =
        new ProgressPrinter(spec.commandLine().getErr(), config.arch() + " " + config.mode());
    TrainResult result =
        new Trainer(config, session, checkpoints, new FileStorage(), printer, signals).run();
    Results.print(spec.commandLine().getOut(), result, json);
    return signals.exitCode().orElse(Failures.OK);
  }
}
