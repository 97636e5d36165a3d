package org.repopt4j.optim;

import static com.google.common.base.Preconditions.checkArgument;

/**
 * The learning rate as a pure function of the number of the update: the schedules of the official
 * {@code lr_scheduler.py}, which are those of timm 0.4.12 and 0.5.4 (later versions of timm differ
 * in {@code step}). Immutable.
 *
 * <p>Each begins with a linear warm-up from {@code warmupLr} to {@code baseLr} over {@code
 * warmupSteps} updates, 0 of them for none. What follows counts from update 0 in {@link #cosine}
 * and {@link #step}, so the warm-up hides its beginning, and from the end of the warm-up in {@link
 * #linear}.
 */
public abstract class LearningRateSchedule {
  /** Official {@code LinearLRScheduler(lr_min_rate=0.01)}. */
  private static final double LINEAR_MIN_RATE = 0.01;

  private final double baseLr;
  private final long warmupSteps;
  private final double warmupLr;

  private LearningRateSchedule(double baseLr, long warmupSteps, double warmupLr) {
    this.baseLr = Checks.notNegative("base learning rate", baseLr);
    this.warmupSteps = warmupSteps;
    this.warmupLr = Checks.notNegative("warm-up learning rate", warmupLr);
    checkArgument(warmupSteps >= 0, "warm-up steps must be >= 0, got: %s", warmupSteps);
  }

  /** Always the same rate. */
  public static LearningRateSchedule constant(double lr) {
    return new LearningRateSchedule(lr, 0, 0) {
      @Override
      double afterWarmup(long update) {
        return lr;
      }
    };
  }

  /**
   * Half a cosine from {@code baseLr} at update 0 to {@code minLr} at {@code totalSteps}, and
   * {@code minLr} from there on (timm's {@code CosineLRScheduler} with one cycle).
   *
   * @param totalSteps at least 1
   * @param minLr finite, at least 0
   * @param warmupSteps from 0 to {@code totalSteps}
   */
  public static LearningRateSchedule cosine(
      double baseLr, long totalSteps, double minLr, long warmupSteps, double warmupLr) {
    checkTotal(totalSteps, warmupSteps);
    Checks.notNegative("minimum learning rate", minLr);
    return new LearningRateSchedule(baseLr, warmupSteps, warmupLr) {
      @Override
      double afterWarmup(long update) {
        double angle = Math.PI * update / totalSteps;
        return update < totalSteps ? minLr + 0.5 * (baseLr - minLr) * (1 + Math.cos(angle)) : minLr;
      }
    };
  }

  /**
   * A line from {@code baseLr} at the end of the warm-up to a hundredth of it at {@code
   * totalSteps}, and that from there on (official {@code LinearLRScheduler}, which is never asked
   * for more).
   *
   * @param totalSteps more than {@code warmupSteps}
   */
  public static LearningRateSchedule linear(
      double baseLr, long totalSteps, long warmupSteps, double warmupLr) {
    checkTotal(totalSteps, warmupSteps);
    checkArgument(
        warmupSteps < totalSteps,
        "warm-up steps must be < the total of %s, got: %s",
        totalSteps,
        warmupSteps);
    return new LearningRateSchedule(baseLr, warmupSteps, warmupLr) {
      @Override
      double afterWarmup(long update) {
        double done =
            (double) (Math.min(update, totalSteps) - warmupSteps) / (totalSteps - warmupSteps);
        return baseLr - (baseLr - baseLr * LINEAR_MIN_RATE) * done;
      }
    };
  }

  /**
   * {@code baseLr} times {@code decayRate} to the power of how often {@code decaySteps} have gone
   * by since update 0 (timm's {@code StepLRScheduler}).
   *
   * @param decaySteps at least 1
   * @param decayRate finite, at least 0
   */
  public static LearningRateSchedule step(
      double baseLr, long decaySteps, double decayRate, long warmupSteps, double warmupLr) {
    checkArgument(decaySteps >= 1, "decay steps must be >= 1, got: %s", decaySteps);
    Checks.notNegative("decay rate", decayRate);
    return new LearningRateSchedule(baseLr, warmupSteps, warmupLr) {
      @Override
      double afterWarmup(long update) {
        long decays = update / decaySteps;
        return baseLr * Math.pow(decayRate, (double) decays);
      }
    };
  }

  private static void checkTotal(long totalSteps, long warmupSteps) {
    checkArgument(totalSteps >= 1, "total steps must be >= 1, got: %s", totalSteps);
    checkArgument(
        warmupSteps <= totalSteps,
        "warm-up steps must be <= the total of %s, got: %s",
        totalSteps,
        warmupSteps);
  }

  abstract double afterWarmup(long update);

  /**
   * The schedule's value, timm's {@code get_update_values(update)}.
   *
   * @param update at least 0
   */
  public final double at(long update) {
    checkArgument(update >= 0, "the number of an update must be >= 0, got: %s", update);
    return update < warmupSteps
        ? warmupLr + update * ((baseLr - warmupLr) / warmupSteps)
        : afterWarmup(update);
  }

  /**
   * The rate that the official training loop uses for its step {@code step}, the first of which is
   * 0. The loop asks the schedule for {@code at(n)} <em>after</em> it has made step n, so step n is
   * made with {@code at(n - 1)}, and step 0 with what the schedule begins with: {@code warmupLr},
   * or {@code baseLr} without a warm-up.
   *
   * @param step at least 0
   */
  public final double forStep(long step) {
    checkArgument(step >= 0, "the number of a step must be >= 0, got: %s", step);
    if (step == 0) {
      return warmupSteps > 0 ? warmupLr : baseLr;
    }
    return at(step - 1);
  }
}
