package org.repopt4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimingTest {
  /** Expected values: {@code numpy.percentile([7, 1, 4, 10], [0, 25, 50, 75, 100])}. */
  @Test
  void quantilesAreNumpys() {
    Timing timing = new Timing(List.of(7.0, 1.0, 4.0, 10.0));
    assertEquals(1.0, timing.fastest());
    assertEquals(3.25, timing.lowerQuartile(), 1e-12);
    assertEquals(5.5, timing.median(), 1e-12);
    assertEquals(7.75, timing.upperQuartile(), 1e-12);
    assertEquals(10.0, timing.slowest());
  }

  @Test
  void oneDurationIsAllOfThem() {
    Timing timing = new Timing(List.of(3.0));
    assertEquals(3.0, timing.median());
    assertEquals(3.0, timing.lowerQuartile());
    assertEquals(3.0, timing.upperQuartile());
  }

  @Test
  void keepsTheOrderAndACopy() {
    List<Double> given = new ArrayList<>(List.of(2.0, 1.0));
    Timing timing = new Timing(given);
    given.clear();
    assertEquals(List.of(2.0, 1.0), timing.milliseconds());
    assertThrows(IllegalArgumentException.class, () -> new Timing(List.of()));
  }

  @Test
  void speedsAreThoseOfTheMedian() {
    Timing timing = new Timing(List.of(20.0, 1000.0, 10.0));
    Measurement measured = new Measurement("step", timing, 8, 2_000_000_000L, 0, 0);
    assertEquals(400, measured.imagesPerSecond(), 1e-9);
    assertEquals(100, measured.gigabytesPerSecond(), 1e-9);
  }
}
