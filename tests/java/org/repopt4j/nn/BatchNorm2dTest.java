package org.repopt4j.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.repopt4j.runtime.Tensors;

class BatchNorm2dTest {
  @Test
  void trainingNormalisesByTheBatchAndUpdatesTheRunningStatistics() {
    float[] x = new float[2 * 3 * 4];
    Random random = new Random(5);
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (random.nextGaussian() * 2 + 1);
    }
    BatchNorm2d norm = new BatchNorm2d(3);
    Tensor input = Tensors.of(x, 2, 3, 2, 2);
    float[] y = Tensors.toFloats(norm.forward(input));
    for (int c = 0; c < 3; c++) {
      double mean = 0;
      double square = 0;
      for (int n = 0; n < 2; n++) {
        for (int p = 0; p < 4; p++) {
          double value = x[(n * 3 + c) * 4 + p];
          mean += value / 8;
          square += value * value / 8;
        }
      }
      double var = square - mean * mean;
      int at = (3 + c) * 4 + 1;
      assertEquals((x[at] - mean) / Math.sqrt(var + 1e-5), y[at], 1e-5);
      assertEquals(0.1 * mean, Tensors.toFloats(norm.runningMean())[c], 1e-6);
      assertEquals(0.9 + 0.1 * var * 8 / 7, Tensors.toFloats(norm.runningVar())[c], 1e-6);
    }
    norm.forward(input);
    assertArrayEquals(new long[] {2}, Tensors.toLongs(norm.stateDict().get("num_batches_tracked")));
  }

  @Test
  void evaluationUsesTheRunningStatisticsAndChangesNothing() {
    BatchNorm2d norm = new BatchNorm2d(1);
    norm.eval();
    float[] y = Tensors.toFloats(norm.forward(Tensors.of(new float[] {3}, 1, 1, 1, 1)));
    assertEquals(3 / Math.sqrt(1 + 1e-5), y[0], 1e-6);
    assertEquals(0, Tensors.toLongs(norm.stateDict().get("num_batches_tracked"))[0]);
  }

  @Test
  void oneValueAChannelCannotBeTrainedOn() {
    BatchNorm2d norm = new BatchNorm2d(2);
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> norm.forward(Tensors.of(new float[2], 1, 2, 1, 1)));
    assertTrue(refused.getMessage().contains("more than one value"), refused.getMessage());
    assertEquals(0, Tensors.toLongs(norm.stateDict().get("num_batches_tracked"))[0]);
  }
}
