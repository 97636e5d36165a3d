package org.repopt4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.repopt4j.bench.BenchSettings.What;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.optim.Engine;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.train.RunSettings.Precision;

@ExtendWith(OneThread.class)
class BenchmarkTest {
  private static final Architecture SMALL =
      Architecture.parse("custom:blocks=1,1,1,1;width=0.125,0.125,0.125,0.125");

  private static BenchSettings settings(What what, Mode mode, UpdateRule opt, Engine engine) {
    return new BenchSettings(
        what,
        SMALL,
        mode,
        /* numClasses= */ 10,
        /* batchSize= */ 2,
        /* resolution= */ 16,
        Precision.FP32,
        false,
        false,
        "cpu",
        /* threads= */ 1,
        opt,
        Optional.ofNullable(engine),
        /* warmup= */ 1,
        /* repeats= */ 3,
        /* seed= */ 1);
  }

  private static BenchReport run(BenchSettings settings, BooleanSupplier stop) throws IOException {
    return new Benchmark(settings, Optional.empty(), (phase, done, all) -> {}, stop).run();
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void everyModeCanBeMeasured(Mode mode) throws IOException {
    What what = mode == Mode.DEPLOY ? What.INFERENCE : What.TRAIN;
    BenchReport report = run(settings(what, mode, UpdateRule.SGD, null), () -> false);
    Measurement step = report.measurements().get(0);
    assertEquals(3, step.timing().milliseconds().size());
    assertEquals(2, step.images());
    assertTrue(step.handles() > 0, () -> "a step holds tensors: " + step);
    assertEquals(0, step.handlesLeft(), "a step leaves nothing behind");
  }

  @Test
  void theUpdateIsMeasuredBesideItsLimits() throws IOException {
    for (Engine engine : Engine.values()) {
      for (UpdateRule rule : UpdateRule.values()) {
        BenchReport report = run(settings(What.UPDATE, Mode.TARGET, rule, engine), () -> false);
        assertEquals(3, report.measurements().size());
        UpdateMemory memory = report.memory().orElseThrow();
        long weights = 4 * SMALL.parameters(Mode.TARGET, 10);
        assertEquals(weights, memory.weightBytes());
        assertEquals(rule == UpdateRule.SGD ? weights : 2 * weights, memory.stateBytes());
        long branches =
            SMALL.blocks().stream()
                .mapToLong(block -> block.scaleNames().size() * (long) block.shape().out())
                .sum();
        assertEquals(8 * branches, memory.gradMultBytes());
        double median = report.measurements().get(0).timing().median();
        double limit = report.measurements().get(2).timing().median();
        assertEquals(median / limit, report.timesAsLongAs(2), 1e-12);
      }
    }
  }

  @Test
  void aPlainNetworkHasNoGradMults() throws IOException {
    BenchReport report =
        run(settings(What.UPDATE, Mode.MULTI_BRANCH, UpdateRule.SGD, null), () -> false);
    assertEquals(0, report.memory().orElseThrow().gradMultBytes());
    assertEquals(
        report.measurements().get(1).bytes(),
        report.measurements().get(2).bytes(),
        "without Grad Mults there is no mask to be read");
  }

  @Test
  void stopsAfterTheRoundAndKeepsWhatThereIs() throws IOException {
    AtomicInteger asked = new AtomicInteger();
    BenchReport report =
        run(
            settings(What.TRAIN, Mode.TARGET, UpdateRule.SGD, null),
            () -> asked.incrementAndGet() > 3);
    assertTrue(report.stopped());
    assertEquals(2, report.measurements().get(0).timing().milliseconds().size());
  }
}
