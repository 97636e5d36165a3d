package org.repopt4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.repopt4j.csla.UpdateRule;

class HeapMemoryLimitTest {

  @ParameterizedTest
  @CsvSource({"SGD, 20, 24", "ADAMW_EXACT, 28, 32", "ADAMW_OFFICIAL, 28, 32"})
  void countsTheBytesOfEachStream(UpdateRule rule, long bare, long masked) {
    try (HeapMemoryLimit limit = new HeapMemoryLimit(rule, 1000, 400, 1)) {
      List<Work> works = limit.works();
      assertEquals(400 * masked + 600 * bare, works.get(0).bytes());
      assertEquals(1000 * bare, works.get(1).bytes());
    }
  }

  /** An element that is passed over n times has gone through the recurrence n times. */
  @ParameterizedTest
  @CsvSource({"1000, 1000, 1", "1000, 1000, 3", "1000, 300, 2", "7, 7, 4", "1001, 100, 3"})
  void everyElementIsPassedOver(long elements, int longest, int threads) {
    try (HeapMemoryLimit limit =
        new HeapMemoryLimit(UpdateRule.SGD, elements, /* masked= */ 0, threads, longest)) {
      limit.works().get(1).run();
      float[] moments = limit.moments();
      for (int i = 0; i < moments.length; i++) {
        long passes = elements / longest + (i < elements % longest ? 1 : 0);
        float p = 0.5f;
        float m = 1e-3f;
        for (long pass = 0; pass < passes; pass++) {
          m = 0.9f * m + (1e-3f + 4e-5f * p);
          p = p - 1e-6f * m;
        }
        assertEquals(m, moments[i], 1e-9f, "element " + i);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"SGD", "ADAMW_EXACT"})
  void theMaskEntersWhereThereIsOne(UpdateRule rule) {
    try (HeapMemoryLimit limit = new HeapMemoryLimit(rule, 10, 10, 2)) {
      limit.works().get(0).run();
      float decay = rule == UpdateRule.SGD ? 4e-5f * 0.5f : 0;
      for (float m : limit.moments()) {
        assertEquals(0.9f * 1e-3f + 1.5f * 1e-3f + decay, m, 1e-8f);
      }
    }
  }
}
