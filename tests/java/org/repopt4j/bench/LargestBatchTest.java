package org.repopt4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.repopt4j.bench.BenchSettings.What;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.testkit.TestDevice;
import org.repopt4j.train.RunSettings.Precision;

/** The search on a real device, whose memory it uses up several times. */
@Tag("gpu")
class LargestBatchTest {
  private static LargestBatch.Report find(boolean recompute) {
    BenchSettings settings =
        new BenchSettings(
            What.TRAIN,
            Architecture.named("RepOpt-VGG-B1"),
            Mode.TARGET,
            1000,
            2,
            448,
            Precision.TF32, // of the same sizes as float32, and several times as fast
            true,
            recompute,
            "cuda",
            0,
            UpdateRule.SGD,
            Optional.empty(),
            0,
            1,
            1);
    return new LargestBatch(settings, Optional.empty(), (phase, done, all) -> {}, () -> false)
        .run();
  }

  @Test
  void recomputationMakesRoomForMore() {
    TestDevice.get();
    LargestBatch.Report kept = find(false);
    LargestBatch.Report recomputed = find(true);
    assertTrue(kept.batchSize().orElse(0) >= 2, kept::toString);
    assertTrue(
        recomputed.batchSize().orElse(0) >= 1.5 * kept.batchSize().orElseThrow(),
        () -> kept + " and " + recomputed);
    List<LargestBatch.Try> tries = kept.tries();
    assertTrue(tries.stream().anyMatch(one -> one.failure().isPresent()), tries::toString);
    for (LargestBatch.Try one : tries) {
      assertEquals(
          one.batchSize() > kept.batchSize().orElseThrow(),
          one.failure().isPresent(),
          one::toString);
      assertTrue(one.peak().orElseThrow().allocated() > 0, one::toString);
    }
  }
}
