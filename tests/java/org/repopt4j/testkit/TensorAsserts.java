package org.repopt4j.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Tensors;

/** What it means for two tensors to be equal, bit by bit or nearly. */
public final class TensorAsserts {
  private TensorAsserts() {}

  /** Same shape and, as float32 bit patterns, the same values (0.0 is not -0.0). */
  public static void assertBitEqual(String what, Tensor expected, Tensor actual) {
    assertArrayEquals(Tensors.shape(expected), Tensors.shape(actual), what + ": shape");
    float[] e = Tensors.toFloats(expected);
    float[] a = Tensors.toFloats(actual);
    for (int i = 0; i < e.length; i++) {
      int at = i;
      assertTrue(
          Float.floatToRawIntBits(e[i]) == Float.floatToRawIntBits(a[i]),
          () -> what + ": value " + at + " is " + a[at] + ", expected " + e[at]);
    }
  }

  /**
   * Same shape, and an L2 distance of at most {@code tolerance} times the expected tensor's L2
   * norm.
   */
  public static void assertRelative(String what, double tolerance, Tensor expected, Tensor actual) {
    assertArrayEquals(Tensors.shape(expected), Tensors.shape(actual), what + ": shape");
    double difference = relative(expected, actual);
    assertTrue(
        difference <= tolerance,
        () -> what + ": relative L2 difference " + difference + " > " + tolerance);
  }

  /** {@code |expected - actual| / |expected|} in the L2 norm. */
  public static double relative(Tensor expected, Tensor actual) {
    double[] e = Tensors.toDoubles(expected);
    double[] a = Tensors.toDoubles(actual);
    double distance = 0;
    double norm = 0;
    for (int i = 0; i < e.length; i++) {
      distance += (e[i] - a[i]) * (e[i] - a[i]);
      norm += e[i] * e[i];
    }
    return Math.sqrt(distance) / Math.max(Math.sqrt(norm), 1e-30);
  }
}
