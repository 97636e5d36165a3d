package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkNotNull;

import java.nio.file.Path;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;

/**
 * Everything that decides a run. What it means is settled here, so that a run which begins can also
 * end.
 *
 * @param arch the architecture ({@code --arch} and the options of a custom one)
 * @param mode which of its networks is trained ({@code --mode})
 * @param scales the file of searched scales, or null ({@code --scales})
 * @param data what is trained on
 * @param optim how a step is made
 * @param schedule how long
 * @param run where, and what is left
 */
public record TrainConfig(
    Architecture arch,
    Mode mode,
    Path scales,
    DataSettings data,
    OptimSettings optim,
    ScheduleSettings schedule,
    RunSettings run) {

  /** Checks the settings against each other. */
  public TrainConfig {
    checkNotNull(arch, "arch");
    checkNotNull(mode, "mode");
    checkNotNull(data, "data");
    checkNotNull(optim, "optim");
    checkNotNull(schedule, "schedule");
    checkNotNull(run, "run");
    checkArgument(
        mode != Mode.DEPLOY,
        "--mode deploy has no batch normalization and cannot be trained; use target");
    checkArgument(
        scales == null || mode == Mode.TARGET || mode == Mode.CSLA,
        "--scales goes with --mode target or csla, got --mode %s",
        mode);
    if (mode == Mode.TARGET && scales != null) {
      optim.checkClippingWithGradMults();
    }
  }

  /** Whether the network is trained with Grad Mults. */
  public boolean usesGradMults() {
    return mode == Mode.TARGET && scales != null;
  }

  /**
   * What turns a learning rate for 256 images into the real one: the images of one step over 256
   * (official {@code main_repopt.py}).
   */
  public double lrScale() {
    return (double) data.batchSize() * optim.gradAccumSteps() / 256.0;
  }

  /** The real learning rate at its base: that of a whole step's images. */
  double realLr() {
    return optim.lr() * lrScale();
  }

  /** The same run in another folder. */
  public TrainConfig withOutput(Path output) {
    return new TrainConfig(arch, mode, scales, data, optim, schedule, run.withOutput(output));
  }

  /** The same run of another of the architecture's networks. */
  public TrainConfig withMode(Mode other) {
    return new TrainConfig(arch, other, scales, data, optim, schedule, run);
  }
}
