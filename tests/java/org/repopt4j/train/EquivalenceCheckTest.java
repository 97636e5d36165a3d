package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.train.EquivalenceCheck.Comparison;
import org.repopt4j.train.EquivalenceCheck.Signs;

@ExtendWith(OneThread.class)
class EquivalenceCheckTest {
  @ParameterizedTest
  @ValueSource(longs = {0, 1, 2, 3})
  void exactRulesFollowEveryBlockAndTheOfficialAdamWOnlyOneSign(long seed) {
    List<Comparison> all = new EquivalenceCheck(8, seed).run();
    assertEquals(5 * 2 * 3, all.size());
    assertEquals(
        all.size(),
        all.stream().map(c -> c.block() + c.rule() + c.signs()).collect(Collectors.toSet()).size());
    for (Comparison c : all) {
      String what = "seed " + seed + ": " + c;
      boolean exact = c.rule() != UpdateRule.ADAMW_OFFICIAL;
      if (exact) {
        assertTrue(c.float64() <= 1e-11, what);
        assertTrue(c.float32() <= 1e-3, what);
      } else if (c.signs() == Signs.POSITIVE) {
        // Off by the epsilon alone, which meets another second moment.
        assertTrue(c.float64() <= 1e-5, what);
      }
      // float32 cannot have followed to the last bit of float64.
      assertTrue(c.float32() > 0, what);
    }
    double departure =
        all.stream()
            .filter(c -> c.rule() == UpdateRule.ADAMW_OFFICIAL && c.signs() == Signs.BOTH)
            .mapToDouble(Comparison::float64)
            .max()
            .orElseThrow();
    assertTrue(departure > 1e-3, "seed " + seed + ": " + departure);
  }
}
