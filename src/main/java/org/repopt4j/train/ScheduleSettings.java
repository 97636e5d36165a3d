package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkNotNull;

import org.repopt4j.optim.LearningRateSchedule;

/**
 * How long, and how the learning rate goes.
 *
 * @param sched the curve ({@code --sched})
 * @param epochs passes over the training images ({@code --epochs})
 * @param warmupEpochs epochs of linear warm-up ({@code --warmup-epochs})
 * @param warmupLr where the warm-up begins, for a batch of 256 ({@code --warmup-lr})
 * @param minLr where cosine ends, for a batch of 256 ({@code --min-lr})
 * @param decayEpochs epochs between two decays of {@code step} ({@code --decay-epochs})
 * @param decayRate factor of a decay of {@code step} ({@code --decay-rate})
 */
public record ScheduleSettings(
    Curve sched,
    int epochs,
    double warmupEpochs,
    double warmupLr,
    double minLr,
    double decayEpochs,
    double decayRate) {

  /** The curves of the official {@code lr_scheduler.py}. */
  public enum Curve {
    /** Half a cosine wave, from the base rate to the smallest. */
    COSINE,
    /** A straight line to a hundredth of the base rate. */
    LINEAR,
    /** Times a factor every so many epochs. */
    STEP,
    /** The base rate all the way. */
    CONSTANT
  }

  /** Checks the numbers. */
  public ScheduleSettings {
    checkNotNull(sched, "sched");
    checkArgument(
        epochs >= 1 && epochs <= 1_000_000, "--epochs must be from 1 to 1000000, got: %s", epochs);
    checkArgument(
        warmupEpochs >= 0 && warmupEpochs < epochs,
        "--warmup-epochs must be from 0 to below --epochs %s, got: %s",
        (Object) epochs,
        warmupEpochs);
    checkArgument(
        warmupLr >= 0 && Double.isFinite(warmupLr),
        "--warmup-lr must be at least 0, got: %s",
        warmupLr);
    checkArgument(
        minLr >= 0 && Double.isFinite(minLr), "--min-lr must be at least 0, got: %s", minLr);
    checkArgument(
        decayEpochs > 0 && Double.isFinite(decayEpochs),
        "--decay-epochs must be more than 0, got: %s",
        decayEpochs);
    checkArgument(
        decayRate > 0 && decayRate <= 1,
        "--decay-rate must be above 0 and at most 1, got: %s",
        decayRate);
  }

  /**
   * The learning rate as a function of the batches done, as the official {@code build_scheduler}
   * sets it up.
   *
   * @param baseLr the real base rate
   * @param lrScale what turns a rate for 256 images into a real one
   * @param stepsPerEpoch batches an epoch
   */
  LearningRateSchedule schedule(double baseLr, double lrScale, long stepsPerEpoch) {
    long total = epochs * stepsPerEpoch;
    long warmup = (long) (warmupEpochs * stepsPerEpoch);
    double from = warmupLr * lrScale;
    return switch (sched) {
      case COSINE -> LearningRateSchedule.cosine(baseLr, total, minLr * lrScale, warmup, from);
      case LINEAR -> LearningRateSchedule.linear(baseLr, total, warmup, from);
      case STEP ->
          LearningRateSchedule.step(
              baseLr, Math.max(1, (long) (decayEpochs * stepsPerEpoch)), decayRate, warmup, from);
      case CONSTANT -> LearningRateSchedule.step(baseLr, total, 1.0, warmup, from);
    };
  }
}
