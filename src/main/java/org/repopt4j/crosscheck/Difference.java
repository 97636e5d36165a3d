package org.repopt4j.crosscheck;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.Tensors;

/**
 * How far two lots of numbers are apart.
 *
 * @param maxUlp the largest distance of two values, counted in representable numbers of their type;
 *     -1 where only hashes were compared and differ
 * @param relative the largest {@code ‖ours − official‖ / ‖official‖} of one tensor; infinite where
 *     they cannot be compared. A tensor whose norm is below a thousandth (float32: a tenth) of the
 *     largest one's counts against that: some gradients are 0 but for rounding, those of a BN in
 *     front of another one for example, and rounding is as large as the terms that cancel.
 * @param values how many numbers were compared
 */
public record Difference(long maxUlp, double relative, long values) {
  private static final double NEGLIGIBLE = 1e-3;
  private static final double NEGLIGIBLE_SINGLE = 0.1;

  /** What has been compared without looking at sizes: equal or not. */
  static Difference exact(boolean equal, long values) {
    return new Difference(equal ? 0 : -1, equal ? 0 : Double.POSITIVE_INFINITY, values);
  }

  /**
   * Compares tensors with official ones that were flattened and put one after the other.
   *
   * @param official one dimension, of the same type
   */
  static Difference of(List<Tensor> ours, Tensor official) {
    double[] theirs = Tensors.toDoubles(official);
    boolean single = Tensors.type(official) == ScalarType.Float;
    long total = ours.stream().mapToLong(Tensor::numel).sum();
    if (total != theirs.length) {
      return exact(false, theirs.length);
    }
    double[] distances = new double[ours.size()];
    double[] norms = new double[ours.size()];
    long ulps = 0;
    int at = 0;
    for (int t = 0; t < norms.length; t++) {
      for (double value : Tensors.toDoubles(ours.get(t))) {
        double other = theirs[at++];
        ulps = Math.max(ulps, single ? ulps((float) value, (float) other) : ulps(value, other));
        norms[t] += other * other;
        distances[t] += square(value, other);
      }
    }
    return new Difference(
        ulps, relative(distances, norms, single ? NEGLIGIBLE_SINGLE : NEGLIGIBLE), total);
  }

  private static double square(double value, double other) {
    if (Double.compare(value, other) == 0) {
      return 0;
    }
    double distance = (value - other) * (value - other);
    return Double.isNaN(distance) ? Double.POSITIVE_INFINITY : distance;
  }

  private static double relative(double[] distances, double[] norms, double negligible) {
    double largest = 0;
    for (double norm : norms) {
      largest = Math.max(largest, Math.sqrt(norm));
    }
    double worst = 0;
    for (int t = 0; t < norms.length; t++) {
      double norm = Math.max(Math.sqrt(norms[t]), negligible * largest);
      worst = Math.max(worst, distances[t] == 0 ? 0 : Math.sqrt(distances[t]) / norm);
    }
    return worst;
  }

  private static long ulps(float a, float b) {
    return Math.abs((long) ordered(a) - ordered(b));
  }

  private static int ordered(float value) {
    int bits = Float.floatToIntBits(value);
    return bits < 0 ? Integer.MIN_VALUE - bits : bits;
  }

  private static long ulps(double a, double b) {
    long x = ordered(a);
    long y = ordered(b);
    // Values of opposite signs may be further apart than a long can count.
    return (x ^ y) < 0 && Math.abs(x / 2 - y / 2) > Long.MAX_VALUE / 2
        ? Long.MAX_VALUE
        : Math.abs(x - y);
  }

  private static long ordered(double value) {
    long bits = Double.doubleToLongBits(value);
    return bits < 0 ? Long.MIN_VALUE - bits : bits;
  }

  /** Both together: the larger of the two, over all values. */
  Difference and(Difference other) {
    boolean known = maxUlp >= 0 && other.maxUlp >= 0;
    return new Difference(
        known ? Math.max(maxUlp, other.maxUlp) : -1,
        Math.max(relative, other.relative),
        values + other.values);
  }

  /** Whether every bit is the same, but for the sign of zero. */
  public boolean none() {
    return maxUlp == 0;
  }
}
