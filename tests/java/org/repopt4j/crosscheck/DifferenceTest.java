package org.repopt4j.crosscheck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

class DifferenceTest {
  private static Difference of(float[] ours, float[] official) {
    try (StepScope scope = StepScope.open()) {
      return Difference.of(
          List.of(Tensors.of(ours, ours.length)), Tensors.of(official, official.length));
    }
  }

  @Test
  void equalValuesDoNotDiffer() {
    Difference none = of(new float[] {1, -2, 0}, new float[] {1, -2, 0});
    assertTrue(none.none());
    assertEquals(new Difference(0, 0, 3), none);
  }

  @Test
  void ulpsAreCountedAcrossZero() {
    assertEquals(1, of(new float[] {Math.nextUp(3f)}, new float[] {3f}).maxUlp());
    assertEquals(2, of(new float[] {-Float.MIN_VALUE}, new float[] {Float.MIN_VALUE}).maxUlp());
    try (StepScope scope = StepScope.open()) {
      Difference wide =
          Difference.of(
              List.of(Tensors.of(new double[] {Math.nextDown(3.0)}, 1)),
              Tensors.of(new double[] {3.0}, 1));
      assertEquals(1, wide.maxUlp());
    }
  }

  @Test
  void theWorstTensorCountsUnlessItIsNegligible() {
    try (StepScope scope = StepScope.open()) {
      Difference two =
          Difference.of(
              List.of(Tensors.of(new float[] {3, 4}, 2), Tensors.of(new float[] {1.5f}, 1)),
              Tensors.of(new float[] {3, 4, 1}, 3));
      assertEquals(0.5, two.relative(), 1e-12);
      Difference single =
          Difference.of(
              List.of(Tensors.of(new float[] {3, 4}, 2), Tensors.of(new float[] {2e-9f}, 1)),
              Tensors.of(new float[] {3, 4, 1e-9f}, 3));
      assertEquals((2e-9f - 1e-9f) / 0.5, single.relative(), 1e-20);
      Difference wide =
          Difference.of(
              List.of(Tensors.of(new double[] {3, 4}, 2), Tensors.of(new double[] {2e-9}, 1)),
              Tensors.of(new double[] {3, 4, 1e-9}, 3));
      assertEquals((2e-9 - 1e-9) / 5e-3, wide.relative(), 1e-20);
    }
  }

  @Test
  void whatCannotBeComparedIsInfinitelyFarApart() {
    assertEquals(
        Double.POSITIVE_INFINITY, of(new float[] {1, 2}, new float[] {1, 2, 3}).relative());
    assertEquals(Double.POSITIVE_INFINITY, of(new float[] {Float.NaN}, new float[] {1}).relative());
    assertFalse(Difference.exact(false, 4).none());
  }
}
