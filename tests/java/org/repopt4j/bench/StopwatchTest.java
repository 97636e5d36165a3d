package org.repopt4j.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StopwatchTest {
  private final StringBuilder runs = new StringBuilder();
  private final List<String> heard = new ArrayList<>();

  private Work work(String name) {
    return new Work() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public void run() {
        runs.append(name);
      }
    };
  }

  private void hear(String phase, int done, int all) {
    heard.add(phase + " " + done + "/" + all);
  }

  @Test
  void takesTurnsAndWarmUpDoesNotCount() {
    Stopwatch stopwatch = new Stopwatch(List.of(work("a"), work("b")), 2, 3);
    stopwatch.warmUp(this::hear, () -> false);
    assertEquals("abab", runs.toString());
    List<Measurement> measured = stopwatch.measure(this::hear, () -> false);
    assertEquals("abababab" + "ab", runs.toString());
    assertEquals(List.of("a", "b"), measured.stream().map(Measurement::name).toList());
    measured.forEach(one -> assertEquals(3, one.timing().milliseconds().size()));
    assertEquals(
        List.of("warm-up 1/2", "warm-up 2/2", "measuring 1/3", "measuring 2/3", "measuring 3/3"),
        heard);
  }

  @Test
  void stopsAfterARound() {
    Stopwatch stopwatch = new Stopwatch(List.of(work("a"), work("b")), 1, 100);
    List<Measurement> measured = stopwatch.measure(this::hear, () -> runs.length() >= 4);
    assertEquals("abab", runs.toString());
    assertEquals(2, measured.get(1).timing().milliseconds().size());
  }

  @Test
  void stoppedBeforeTheFirstRoundThereIsNothing() {
    Stopwatch stopwatch = new Stopwatch(List.of(work("a")), 5, 5);
    stopwatch.warmUp(this::hear, () -> true);
    assertTrue(stopwatch.measure(this::hear, () -> true).isEmpty());
    assertEquals("", runs.toString());
  }
}
