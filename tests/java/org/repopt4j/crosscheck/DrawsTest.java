package org.repopt4j.crosscheck;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.api.Test;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/** The values are those that official_side.py draws. */
class DrawsTest {
  private final Draws draws = new Draws(7);

  @Test
  void unitIsTheStreamOfThePythonSide() {
    double[] expected = {4206890, 1783855, 8865539, 6239836};
    double[] drawn = draws.unit("image0", 4);
    for (int i = 0; i < drawn.length; i++) {
      drawn[i] *= 1 << 24;
    }
    assertArrayEquals(expected, drawn, 0);
  }

  @Test
  void valuesScalesAndLabelsAreThoseOfThePythonSide() {
    try (StepScope scope = StepScope.open()) {
      assertArrayEquals(
          new float[] {-0.84744936f, -1.3384914f, 0.09665283f},
          Tensors.toFloats(draws.between("image0", -1.7, 1.7, 3)),
          0);
      assertArrayEquals(
          new float[] {-0.52535695f, 1.1186814f, 0.7386445f},
          Tensors.toFloats(draws.scales("s", 3)),
          0);
      assertArrayEquals(new long[] {7, 4, 5, 8, 2}, Tensors.toLongs(draws.labels("l", 5, 10)));
    }
  }
}
