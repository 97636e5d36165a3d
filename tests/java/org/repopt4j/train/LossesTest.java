package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

class LossesTest {
  private static final int N = 5;
  private static final int CLASSES = 7;

  private static double[] logits(long seed) {
    return new Random(seed).doubles(N * CLASSES, -4, 4).toArray();
  }

  private static long[] labels(long seed) {
    return new Random(seed + 1).longs(N, 0, CLASSES).toArray();
  }

  private static double[] logSoftmax(double[] logits, int row) {
    double sum = 0;
    for (int c = 0; c < CLASSES; c++) {
      sum += Math.exp(logits[row * CLASSES + c]);
    }
    double[] log = new double[CLASSES];
    for (int c = 0; c < CLASSES; c++) {
      log[c] = logits[row * CLASSES + c] - Math.log(sum);
    }
    return log;
  }

  /** timm: {@code (1 - s) * nll + s * mean over the classes of -log p}, then the mean. */
  private static double naive(double[] logits, long[] labels, double smoothing) {
    double loss = 0;
    for (int i = 0; i < N; i++) {
      double[] log = logSoftmax(logits, i);
      double all = 0;
      for (double one : log) {
        all -= one / CLASSES;
      }
      loss += ((1 - smoothing) * -log[(int) labels[i]] + smoothing * all) / N;
    }
    return loss;
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.1, 0.5, 0.99})
  void isTheNaiveSmoothedCrossEntropy(double smoothing) {
    for (long seed = 0; seed < 5; seed++) {
      double[] logits = logits(seed);
      long[] labels = labels(seed);
      try (StepScope scope = StepScope.open()) {
        Tensor loss =
            Losses.crossEntropy(Tensors.of(logits, N, CLASSES), Tensors.of(labels, N), smoothing);
        assertEquals(0, loss.dim());
        assertEquals(naive(logits, labels, smoothing), loss.item_double(), 1e-12, "seed " + seed);
      }
    }
  }

  @Test
  void itsGradientIsProbabilityMinusSmoothedTarget() {
    double[] logits = logits(3);
    long[] labels = labels(3);
    double[] expected = new double[N * CLASSES];
    for (int i = 0; i < N; i++) {
      double[] log = logSoftmax(logits, i);
      for (int c = 0; c < CLASSES; c++) {
        double target = 0.2 / CLASSES + (c == labels[i] ? 0.8 : 0);
        expected[i * CLASSES + c] = (Math.exp(log[c]) - target) / N;
      }
    }
    try (StepScope scope = StepScope.open()) {
      Tensor input = Tensors.of(logits, N, CLASSES).requires_grad_(true);
      Losses.crossEntropy(input, Tensors.of(labels, N), 0.2).backward();
      assertArrayEquals(expected, Tensors.toDoubles(input.grad()), 1e-13);
    }
  }

  @Test
  void sharesOfTheBatchesAddUpToTheirMean() {
    try (StepScope scope = StepScope.open()) {
      Tensor loss = Tensors.of(new double[] {6});
      assertEquals(6, Losses.share(loss, 1).item_double());
      assertEquals(1.5, Losses.share(loss, 4).item_double());
    }
  }
}
