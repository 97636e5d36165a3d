package org.repopt4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class BatchSearchTest {
  private static List<Integer> asked(int first, int last, int limit) {
    List<Integer> asked = new ArrayList<>();
    OptionalInt found =
        BatchSearch.largest(
            first,
            last,
            n -> {
              asked.add(n);
              return n <= limit;
            });
    assertEquals(
        limit < first ? OptionalInt.empty() : OptionalInt.of(Math.min(limit, last)),
        found,
        () -> "limit " + limit + " from " + first + " to " + last);
    assertEquals(asked.size(), new HashSet<>(asked).size(), () -> "asked twice: " + asked);
    return asked;
  }

  @Test
  void whateverTheLimitItIsFoundByFewSteps() {
    for (int first = 1; first <= 5; first++) {
      for (int last = first; last <= 70; last++) {
        for (int limit = 0; limit <= 72; limit++) {
          assertTrue(asked(first, last, limit).size() <= 14);
        }
      }
    }
  }

  @Test
  void itDoublesAndThenBisects() {
    assertEquals(List.of(2, 4, 8, 16, 12, 10, 11), asked(2, 1 << 16, 11));
    assertEquals(List.of(2), asked(2, 1 << 16, 1));
    assertEquals(List.of(Integer.MAX_VALUE), asked(Integer.MAX_VALUE, Integer.MAX_VALUE, 5));
  }

  @Test
  void anErrorOfTheStepIsTheCallers() {
    assertThrows(
        IllegalStateException.class,
        () ->
            BatchSearch.largest(
                2,
                8,
                n -> {
                  throw new IllegalStateException("the device is gone");
                }));
    assertRefused(() -> BatchSearch.largest(3, 2, n -> true), "3", "2");
  }
}
