package org.repopt4j.bench;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.repopt4j.runtime.Natives;

/** Takes the times of several works in turns: a round is one run of each. */
final class Stopwatch {
  private final List<? extends Work> works;
  private final int warmup;
  private final int repeats;

  Stopwatch(List<? extends Work> works, int warmup, int repeats) {
    this.works = ImmutableList.copyOf(works);
    this.warmup = warmup;
    this.repeats = repeats;
  }

  /** Runs that do not count. */
  void warmUp(BenchListener listener, BooleanSupplier stop) {
    for (int round = 0; round < warmup && !stop.getAsBoolean(); round++) {
      for (Work work : works) {
        work.run();
      }
      listener.progress("warm-up", round + 1, warmup);
    }
  }

  /**
   * One measurement for each work; none, if it was stopped before the first round was done.
   *
   * @param stop asked after each round
   */
  List<Measurement> measure(BenchListener listener, BooleanSupplier stop) {
    List<List<Double>> durations = new ArrayList<>();
    works.forEach(work -> durations.add(new ArrayList<>()));
    long[] left = new long[works.size()];
    // What the preparations left to the collector must not go while a run's objects are counted.
    Natives.collectGarbage();
    for (int round = 0; round < repeats && !stop.getAsBoolean(); round++) {
      for (int i = 0; i < works.size(); i++) {
        long before = Natives.handles();
        long begin = System.nanoTime();
        works.get(i).run();
        durations.get(i).add((System.nanoTime() - begin) / 1e6);
        left[i] += Natives.handles() - before;
      }
      listener.progress("measuring", round + 1, repeats);
    }
    ImmutableList.Builder<Measurement> measured = ImmutableList.builder();
    for (int i = 0; i < works.size() && !durations.get(i).isEmpty(); i++) {
      Work work = works.get(i);
      measured.add(
          new Measurement(
              work.name(),
              new Timing(durations.get(i)),
              work.images(),
              work.bytes(),
              work.handles(),
              left[i]));
    }
    return measured.build();
  }
}
