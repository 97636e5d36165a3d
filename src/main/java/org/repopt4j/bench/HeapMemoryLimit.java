package org.repopt4j.bench;

import static com.google.common.base.Preconditions.checkState;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.repopt4j.csla.UpdateRule;

/**
 * The limit by loops over Java arrays, which the JIT compiler vectorises. For wherever there is no
 * native code of ours. Arrays that would fill the heap are shorter and gone through more often.
 */
final class HeapMemoryLimit implements MemoryLimit {
  private static final float MOMENTUM = 0.9f;
  private static final float DECAY = 4e-5f;
  private static final float RATE = 1e-6f;

  /** What the arrays may take of the heap. */
  private static final double SHARE = 0.6;

  private final UpdateRule rule;
  private final long elements;
  private final long masked;
  private final int threads;
  private final ExecutorService pool;
  private final float[] p;
  private final float[] g;
  private final float[] mask;
  private final float[] m;
  private final float[] v;

  /**
   * Allocates and touches the arrays.
   *
   * @param elements of all parameters
   * @param masked how many of them have a Grad Mult
   * @param threads that share the work, at least 1
   */
  HeapMemoryLimit(UpdateRule rule, long elements, long masked, int threads) {
    this(rule, elements, masked, threads, room(rule));
  }

  /** {@code longest}: elements of one array at most. */
  HeapMemoryLimit(UpdateRule rule, long elements, long masked, int threads, long longest) {
    this.rule = rule;
    this.elements = elements;
    this.masked = masked;
    this.threads = threads;
    int length = (int) Math.min(Math.min(elements, longest), Integer.MAX_VALUE - 8);
    checkState(length > 0, "no heap is left for the read-modify-write limit");
    this.p = filled(length, 0.5f);
    this.g = filled(length, 1e-3f);
    this.mask = filled(length, 1.5f);
    this.m = filled(length, 1e-3f);
    this.v = rule == UpdateRule.SGD ? m : filled(length, 1e-6f);
    this.pool =
        Executors.newFixedThreadPool(
            threads,
            task -> {
              Thread thread = new Thread(task, "memory-limit");
              thread.setDaemon(true);
              return thread;
            });
  }

  private static long room(UpdateRule rule) {
    int arrays = Streams.of(rule, /* mask= */ true).read();
    return (long) (SHARE * Runtime.getRuntime().maxMemory() / (arrays * Float.BYTES));
  }

  private static float[] filled(int length, float value) {
    float[] array = new float[length];
    Arrays.fill(array, value);
    return array;
  }

  @Override
  public String means() {
    return "loops over Java arrays, threads: " + threads;
  }

  @Override
  public List<Work> works() {
    return ImmutableList.of(new Pass("limit with a dense mask", masked), new Pass("limit", 0));
  }

  @Override
  public void close() {
    pool.shutdownNow();
  }

  /** A copy of what stands for the first moments: each pass over an element changes it. */
  float[] moments() {
    return m.clone();
  }

  private final class Pass implements Work {
    private final String name;
    private final long withMask;

    Pass(String name, long withMask) {
      this.name = name;
      this.withMask = withMask;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public long bytes() {
      return Streams.of(rule, /* mask= */ true).bytes(withMask)
          + Streams.of(rule, /* mask= */ false).bytes(elements - withMask);
    }

    @Override
    public void run() {
      goThrough(withMask, /* useMask= */ true);
      goThrough(elements - withMask, /* useMask= */ false);
    }
  }

  private void goThrough(long count, boolean useMask) {
    for (long done = 0; done < count; done += p.length) {
      int length = (int) Math.min(p.length, count - done);
      List<Callable<Void>> parts = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        int from = (int) ((long) length * t / threads);
        int to = (int) ((long) length * (t + 1) / threads);
        parts.add(
            () -> {
              update(from, to, useMask);
              return null;
            });
      }
      await(parts);
    }
  }

  private void await(List<Callable<Void>> parts) {
    try {
      for (Future<Void> part : pool.invokeAll(parts)) {
        part.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the read-modify-write limit was interrupted", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("the read-modify-write limit failed", e);
    }
  }

  private void update(int from, int to, boolean useMask) {
    if (rule == UpdateRule.SGD) {
      if (useMask) {
        sgdMasked(p, g, mask, m, from, to);
      } else {
        sgd(p, g, m, from, to);
      }
    } else if (useMask) {
      adamWMasked(p, g, mask, m, v, from, to);
    } else {
      adamW(p, g, m, v, from, to);
    }
  }

  private static void sgdMasked(float[] p, float[] g, float[] k, float[] m, int from, int to) {
    for (int i = from; i < to; i++) {
      float buffer = MOMENTUM * m[i] + (k[i] * g[i] + DECAY * p[i]);
      m[i] = buffer;
      p[i] = p[i] - RATE * buffer;
    }
  }

  private static void sgd(float[] p, float[] g, float[] m, int from, int to) {
    for (int i = from; i < to; i++) {
      float buffer = MOMENTUM * m[i] + (g[i] + DECAY * p[i]);
      m[i] = buffer;
      p[i] = p[i] - RATE * buffer;
    }
  }

  private static void adamWMasked(
      float[] p, float[] g, float[] k, float[] m, float[] v, int from, int to) {
    for (int i = from; i < to; i++) {
      float first = MOMENTUM * m[i] + k[i] * g[i];
      float second = MOMENTUM * v[i] + g[i] * g[i];
      m[i] = first;
      v[i] = second;
      p[i] = p[i] - RATE * (first + second);
    }
  }

  private static void adamW(float[] p, float[] g, float[] m, float[] v, int from, int to) {
    for (int i = from; i < to; i++) {
      float first = MOMENTUM * m[i] + g[i];
      float second = MOMENTUM * v[i] + g[i] * g[i];
      m[i] = first;
      v[i] = second;
      p[i] = p[i] - RATE * (first + second);
    }
  }
}
