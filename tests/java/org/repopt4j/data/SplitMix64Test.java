package org.repopt4j.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class SplitMix64Test {
  @Test
  void givesThePublishedValues() {
    SplitMix64 random = new SplitMix64(1234567);
    assertEquals(6457827717110365317L, random.nextLong());
    assertEquals(3203168211198807973L, random.nextLong());
    assertEquals("9817491932198370423", Long.toUnsignedString(random.nextLong()));
    assertEquals(4593380528125082431L, random.nextLong());
    assertEquals("16408922859458223821", Long.toUnsignedString(random.nextLong()));
  }

  @Property(tries = 100)
  void equalsJavasSplittableRandom(@ForAll long seed) {
    SplitMix64 random = new SplitMix64(seed);
    SplittableRandom java = new SplittableRandom(seed);
    for (int i = 0; i < 10; i++) {
      assertEquals(java.nextLong(), random.nextLong());
    }
  }

  @Test
  void bitsOfTheKeysAreAllUsed() {
    Set<Long> first = new HashSet<>();
    for (long seed : new long[] {0, 1, 2, -1, 1L << 40}) {
      for (long epoch = 0; epoch < 20; epoch++) {
        for (long stream = -1; stream < 50; stream++) {
          first.add(SplitMix64.of(seed, epoch, stream).nextLong());
        }
      }
    }
    assertEquals(5 * 20 * 51, first.size());
  }

  @Test
  void numbersBelowABoundAreUniform() {
    for (int bound : new int[] {1, 2, 3, 9, 10}) {
      SplitMix64 random = SplitMix64.of(7, 0, bound);
      int[] counts = new int[bound];
      int draws = 100_000;
      for (int i = 0; i < draws; i++) {
        counts[random.nextInt(bound)]++;
      }
      double expected = draws / (double) bound;
      for (int count : counts) {
        assertTrue(Math.abs(count - expected) <= 5 * Math.sqrt(expected), bound + ": " + count);
      }
    }
  }

  @Test
  void greatBoundsAreUniformToo() {
    // Without the rejection of the lowest products, two residues would be seen 3/2 as often as the
    // third.
    int bound = 3 << 29;
    SplitMix64 random = SplitMix64.of(7, 0, 0);
    int[] counts = new int[3];
    for (int i = 0; i < 90_000; i++) {
      counts[random.nextInt(bound) % 3]++;
    }
    for (int count : counts) {
      assertTrue(Math.abs(count - 30_000) <= 900, "count " + count);
    }
  }
}
