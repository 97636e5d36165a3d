package org.repopt4j.crosscheck;

import java.nio.charset.StandardCharsets;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Tensors;

/**
 * Random values that {@code official_side.py} draws too, bit for bit: a SplitMix64 stream for each
 * name, whose start is the FNV-1a hash of {@code seed/name}. With them only results pass between
 * the two sides.
 */
final class Draws {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;
  private static final double UNIT = 1.0 / (1 << 24);

  private final long seed;

  Draws(long seed) {
    this.seed = seed;
  }

  /** Multiples of 2^-24 in [0, 1). */
  double[] unit(String name, int count) {
    long key = 0xCBF29CE484222325L;
    for (byte b : (seed + "/" + name).getBytes(StandardCharsets.UTF_8)) {
      key = (key ^ (b & 0xFF)) * 0x100000001B3L;
    }
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      long z = (i + 1) * GOLDEN + key;
      z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
      z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
      z = z ^ (z >>> 31);
      values[i] = (z >>> 40) * UNIT;
    }
    return values;
  }

  /** Float32 values from {@code low} to {@code high}. */
  Tensor between(String name, double low, double high, long... shape) {
    double[] unit = unit(name, count(shape));
    float[] values = new float[unit.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (low + (high - low) * unit[i]);
    }
    return Tensors.of(values, shape);
  }

  /** Scales of both signs with sizes from 0.2 to 1.4. */
  Tensor scales(String name, long... shape) {
    double[] unit = unit(name, count(shape));
    float[] values = new float[unit.length];
    for (int i = 0; i < values.length; i++) {
      double u = 2.0 * unit[i] - 1.0;
      values[i] = (float) ((u < 0 ? -1.0 : 1.0) * (0.2 + 1.2 * Math.abs(u)));
    }
    return Tensors.of(values, shape);
  }

  /** Classes {@code [count]}. */
  Tensor labels(String name, int count, int classes) {
    double[] unit = unit(name, count);
    long[] values = new long[count];
    for (int i = 0; i < count; i++) {
      values[i] = (long) (unit[i] * classes);
    }
    return Tensors.of(values, count);
  }

  private static int count(long[] shape) {
    long count = 1;
    for (long size : shape) {
      count = Math.multiplyExact(count, size);
    }
    return Math.toIntExact(count);
  }
}
