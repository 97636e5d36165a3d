package org.repopt4j.cli;

import static com.google.common.base.MoreObjects.firstNonNull;

import org.repopt4j.train.Recipe;
import org.repopt4j.train.ScheduleSettings;
import picocli.CommandLine.Option;

/** How the learning rate goes. */
final class ScheduleOptions {
  @Option(
      names = "--sched",
      paramLabel = "CURVE",
      description = "cosine, linear, step or constant (default: ${DEFAULT-VALUE}).")
  private String sched = "cosine";

  @Option(
      names = "--warmup-epochs",
      paramLabel = "N",
      description = "Epochs of linear warm-up (default: recipe).")
  private Double warmupEpochs;

  @Option(
      names = "--warmup-lr",
      paramLabel = "RATE",
      description = "Where the warm-up begins, for a batch of 256 images (default: recipe).")
  private Double warmupLr;

  @Option(
      names = "--min-lr",
      paramLabel = "RATE",
      description = "Where cosine ends, for a batch of 256 images (default: ${DEFAULT-VALUE}).")
  private double minLr;

  @Option(
      names = "--decay-epochs",
      paramLabel = "N",
      description = "Epochs between two decays of 'step' (default: ${DEFAULT-VALUE}).")
  private double decayEpochs = 30;

  @Option(
      names = "--decay-rate",
      paramLabel = "F",
      description = "Factor of a decay of 'step' (default: ${DEFAULT-VALUE}).")
  private double decayRate = 0.1;

  /** The settings for so many epochs, with a recipe's values where none are given. */
  ScheduleSettings settings(int epochs, Recipe recipe) {
    return new ScheduleSettings(
        Choice.of("--sched", ScheduleSettings.Curve.class, sched),
        epochs,
        warmup(epochs, recipe),
        firstNonNull(warmupLr, recipe.warmupLr()),
        minLr,
        decayEpochs,
        decayRate);
  }

  /** A recipe's warm-up that does not fit a shorter run shrinks in proportion. */
  private double warmup(int epochs, Recipe recipe) {
    if (warmupEpochs != null) {
      return warmupEpochs;
    }
    double recommended = recipe.warmupEpochs();
    return recommended < epochs ? recommended : recommended * epochs / recipe.epochs();
  }
}
