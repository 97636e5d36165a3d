package org.repopt4j.cli;

import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.train.RunSettings;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where and how to compute. */
final class RunOptions {
  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Option(
      names = "--recompute",
      description =
          "Compute activations again in backward instead of keeping them: larger batches, about a"
              + " third more time.")
  private boolean recompute;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of weights, data order and augmentation (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(names = "--deterministic", description = "Ask for reproducible algorithms only.")
  private boolean deterministic;

  @Option(
      names = "--model-ema-decay",
      paramLabel = "D",
      description =
          "Keep a moving average of the weights with this decay, for example 0.999 (default:"
              + " none).")
  private double modelEmaDecay;

  @Option(
      names = "--eval-every",
      paramLabel = "N",
      description = "Epochs from one evaluation to the next (default: ${DEFAULT-VALUE}).")
  private int evalEvery = 1;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      description = "Folder of the run (default: output/ARCH-MODE/TIME).")
  Path output;

  /** The settings of a run of this network, whose folder has its name where none is given. */
  RunSettings settings(Architecture arch, Mode mode) {
    return new RunSettings(
        compute.device(),
        compute.precision(),
        compute.channelsLast(),
        recompute,
        compute.threads(),
        deterministic,
        seed,
        modelEmaDecay,
        evalEvery,
        output != null ? output : defaultOutput(arch, mode));
  }

  private static Path defaultOutput(Architecture arch, Mode mode) {
    String time =
        LocalDateTime.now(ZoneId.systemDefault())
            .format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss-SSS", Locale.ROOT));
    String name = arch.spec().replaceAll("[^A-Za-z0-9.-]+", "_");
    return Path.of("output", name + "-" + mode, time);
  }
}
