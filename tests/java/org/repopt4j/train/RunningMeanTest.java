package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

class RunningMeanTest {
  /** Fewer classes than five, five, and more. */
  @ParameterizedTest
  @ValueSource(ints = {2, 5, 13})
  void isTheMeanOverImagesNotOverBatches(int classes) {
    Random random = new Random(classes);
    double loss = 0;
    int top1 = 0;
    int top5 = 0;
    int images = 0;
    try (RunningMean mean = new RunningMean(ComputeDevice.cpu())) {
      for (int n : new int[] {8, 8, 3, 1}) {
        float[] logits = new float[n * classes];
        long[] labels = new long[n];
        double batchLoss = random.nextDouble();
        for (int i = 0; i < n; i++) {
          labels[i] = random.nextInt(classes);
          for (int c = 0; c < classes; c++) {
            logits[i * classes + c] = (float) random.nextGaussian();
          }
          int better = 0;
          for (int c = 0; c < classes; c++) {
            better += logits[i * classes + c] > logits[i * classes + (int) labels[i]] ? 1 : 0;
          }
          top1 += better == 0 ? 1 : 0;
          top5 += better < 5 ? 1 : 0;
        }
        loss += batchLoss * n;
        images += n;
        try (StepScope scope = StepScope.open()) {
          Tensor value = Tensors.of(new double[] {batchLoss}).requires_grad_(true).sum();
          mean.add(value, Tensors.of(logits, n, classes), Tensors.of(labels, n));
        }
      }
      assertEquals(images, mean.images());
      RunningMean.Means means = mean.read();
      assertEquals(loss / images, means.loss(), 1e-14);
      assertEquals((double) top1 / images, means.top1());
      assertEquals((double) top5 / images, means.top5());
    }
  }

  @Test
  void aLossThatIsNoNumberStays() {
    try (RunningMean mean = new RunningMean(ComputeDevice.cpu());
        StepScope scope = StepScope.open()) {
      Tensor logits = Tensors.of(new float[] {1, 2}, 1, 2);
      Tensor labels = Tensors.of(new long[] {1}, 1);
      mean.add(Tensors.of(new double[] {Double.NaN}).sum(), logits, labels);
      mean.add(Tensors.of(new double[] {1}).sum(), logits, labels);
      assertTrue(Double.isNaN(mean.read().loss()));
      assertEquals(1, mean.read().top1());
    }
  }
}
