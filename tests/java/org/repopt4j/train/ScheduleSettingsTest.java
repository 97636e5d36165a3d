package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.repopt4j.optim.LearningRateSchedule;
import org.repopt4j.train.ScheduleSettings.Curve;

/** Against the official {@code build_scheduler} with the curves of timm written out. */
class ScheduleSettingsTest {
  private static final double WARMUP_LR = 1e-3;
  private static final double MIN_LR = 2e-3;
  private static final double DECAY_RATE = 0.3;

  private static double naive(
      Curve curve,
      int epochs,
      double warmupEpochs,
      double decayEpochs,
      double lr,
      double scale,
      int stepsPerEpoch,
      long step) {
    double base = lr * scale;
    double warmupLr = WARMUP_LR * scale;
    long steps = (long) epochs * stepsPerEpoch;
    long warmup = (long) Math.floor(warmupEpochs * stepsPerEpoch);
    long decay = (long) Math.floor(decayEpochs * stepsPerEpoch);
    if (step < warmup) {
      return warmupLr + (base - warmupLr) * step / warmup;
    }
    return switch (curve) {
      case COSINE -> {
        double min = MIN_LR * scale;
        yield step >= steps ? min : min + (base - min) * (1 + Math.cos(Math.PI * step / steps)) / 2;
      }
      case LINEAR -> base * (1 - 0.99 * (step - warmup) / (steps - warmup));
      case STEP -> {
        long decays = step / decay;
        yield base * Math.pow(DECAY_RATE, (double) decays);
      }
      case CONSTANT -> base;
    };
  }

  @ParameterizedTest
  @CsvSource({
    "COSINE, 6, 2, 30, 0.1, 1, 7",
    "COSINE, 6, 0, 30, 0.1, 0.25, 7",
    "COSINE, 3, 0.5, 30, 0.6, 4, 13",
    "LINEAR, 6, 2, 30, 0.1, 1, 7",
    "LINEAR, 6, 0, 30, 0.1, 0.5, 7",
    "LINEAR, 4, 1.3, 30, 0.1, 8, 9",
    "STEP, 6, 0, 2, 0.1, 1, 7",
    "STEP, 6, 1, 2, 0.1, 0.125, 7",
    "STEP, 6, 3, 1.5, 0.1, 2, 5",
    "CONSTANT, 6, 0, 30, 0.1, 0.5, 7",
    "CONSTANT, 6, 2, 30, 0.1, 0.5, 7"
  })
  void isTheOfficialCurve(
      Curve curve,
      int epochs,
      double warmupEpochs,
      double decayEpochs,
      double lr,
      double scale,
      int stepsPerEpoch) {
    LearningRateSchedule schedule =
        new ScheduleSettings(
                curve, epochs, warmupEpochs, WARMUP_LR, MIN_LR, decayEpochs, DECAY_RATE)
            .schedule(lr * scale, scale, stepsPerEpoch);
    for (long step = 0; step < (long) epochs * stepsPerEpoch; step++) {
      double expected =
          naive(curve, epochs, warmupEpochs, decayEpochs, lr, scale, stepsPerEpoch, step);
      assertEquals(expected, schedule.at(step), 1e-12 * scale, "at " + step);
    }
    boolean warms = (long) (warmupEpochs * stepsPerEpoch) > 0;
    assertEquals((warms ? WARMUP_LR : lr) * scale, schedule.forStep(0), 1e-15);
    assertEquals(schedule.at(4), schedule.forStep(5));
  }

  @ParameterizedTest
  @CsvSource({"COSINE", "LINEAR", "STEP", "CONSTANT"})
  void oneBatchAnEpochAndPartsOfItAreFine(Curve curve) {
    LearningRateSchedule schedule =
        new ScheduleSettings(curve, 1, 0.9, 0, 0, 0.1, 0.5).schedule(0.1, 1, 1);
    assertTrue(schedule.at(0) > 0);
  }
}
