package org.repopt4j.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class LoaderOptionsTest {
  private static final LoaderOptions GOOD = LoaderOptions.evaluation(8);

  @Test
  void refusesNumbersOutOfRange() {
    assertMessage("batchSize must be at least 1, got: 0", () -> LoaderOptions.evaluation(0));
    assertMessage("workers must be at least 1, got: 0", () -> GOOD.withWorkers(0, 2));
    assertMessage(
        "prefetch must be at least the number of workers (3), or some have nothing to do, got: 2",
        () -> GOOD.withWorkers(3, 2));
    assertMessage("shards must be at least 1, got: 0", () -> GOOD.withShard(0, 0));
    assertMessage("shard must be from 0 to 1, got: 2", () -> GOOD.withShard(2, 2));
    assertMessage("shard must be from 0 to 1, got: -1", () -> GOOD.withShard(-1, 2));
  }

  private static void assertMessage(String expected, Runnable action) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, action::run).getMessage());
  }
}
