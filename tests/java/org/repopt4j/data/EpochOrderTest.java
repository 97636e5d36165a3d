package org.repopt4j.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class EpochOrderTest {
  @Property(tries = 100)
  void isAPermutation(
      @ForAll @IntRange(min = 0, max = 500) int size, @ForAll long seed, @ForAll long epoch) {
    int[] order = EpochOrder.shuffled(size, seed, epoch);
    assertArrayEquals(order, EpochOrder.shuffled(size, seed, epoch));
    Arrays.sort(order);
    assertArrayEquals(EpochOrder.plain(size), order);
  }

  @Test
  void isTheOneThatRunsBegunEarlierHave() {
    // From an independent SplitMix64 and Fisher-Yates in Python.
    int[] expected = {10, 5, 6, 11, 1, 9, 2, 4, 8, 0, 7, 3};
    assertArrayEquals(expected, EpochOrder.shuffled(12, 42, 3));
  }

  @Test
  void everyPlaceIsEquallyLikely() {
    int[][] counts = new int[5][5];
    int epochs = 20_000;
    for (int epoch = 0; epoch < epochs; epoch++) {
      int[] order = EpochOrder.shuffled(5, 3, epoch);
      for (int place = 0; place < 5; place++) {
        counts[place][order[place]]++;
      }
    }
    for (int[] row : counts) {
      for (int count : row) {
        assertTrue(Math.abs(count - epochs / 5) <= 300, Arrays.deepToString(counts));
      }
    }
  }

  @Test
  void seedsAndEpochsDiffer() {
    int[] order = EpochOrder.shuffled(100, 1, 1);
    assertFalse(Arrays.equals(order, EpochOrder.shuffled(100, 1, 2)));
    assertFalse(Arrays.equals(order, EpochOrder.shuffled(100, 2, 1)));
  }
}
