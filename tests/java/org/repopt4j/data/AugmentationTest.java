package org.repopt4j.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class AugmentationTest {
  @Test
  void everyWindowIsEquallyLikelyAndHalfOfThemAreMirrored() {
    int[][][] counts = new int[9][9][2];
    int images = 162_000;
    for (int sample = 0; sample < images; sample++) {
      Augmentation.Draw draw = Augmentation.CIFAR.draw(5, 2, sample);
      counts[draw.top()][draw.left()][draw.flip() ? 1 : 0]++;
    }
    for (int[][] row : counts) {
      for (int[] place : row) {
        assertTrue(Math.abs(place[0] - 1000) <= 160, "unmirrored " + place[0]);
        assertTrue(Math.abs(place[1] - 1000) <= 160, "mirrored " + place[1]);
      }
    }
  }

  @Test
  void isTheOneThatRunsBegunEarlierHave() {
    // From an independent SplitMix64 in Python.
    assertEquals(new Augmentation.Draw(6, 6, true), Augmentation.CIFAR.draw(42, 3, 0));
    assertEquals(new Augmentation.Draw(4, 3, true), Augmentation.CIFAR.draw(42, 3, 1));
    assertEquals(new Augmentation.Draw(0, 3, false), Augmentation.CIFAR.draw(42, 3, 12345));
  }

  @Test
  void isAPureFunctionOfSeedEpochAndSample() {
    Augmentation wide = new Augmentation(1000, true);
    Augmentation.Draw draw = wide.draw(1, 2, 3);
    assertEquals(draw, wide.draw(1, 2, 3));
    assertNotEquals(draw, wide.draw(2, 2, 3));
    assertNotEquals(draw, wide.draw(1, 3, 3));
    assertNotEquals(draw, wide.draw(1, 2, 4));
  }

  @Test
  void withoutFlipKeepsTheCrops() {
    for (int sample = 0; sample < 100; sample++) {
      Augmentation.Draw with = Augmentation.CIFAR.draw(5, 2, sample);
      Augmentation.Draw without = Augmentation.CIFAR.withoutFlip().draw(5, 2, sample);
      assertEquals(new Augmentation.Draw(with.top(), with.left(), false), without);
    }
  }

  @Test
  void noneDecidesNothing() {
    for (int sample = 0; sample < 100; sample++) {
      assertEquals(new Augmentation.Draw(0, 0, false), Augmentation.NONE.draw(5, 2, sample));
    }
  }

  @Test
  void refusesANegativePadding() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new Augmentation(-1, true));
    assertEquals("padding must not be negative, got: -1", e.getMessage());
  }
}
