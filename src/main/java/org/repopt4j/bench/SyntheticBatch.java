package org.repopt4j.bench;

import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * Random images and labels that are on the device already, so that no loader is measured.
 *
 * @param images float32 {@code [n, 3, h, w]} from the normal distribution
 * @param labels int64 {@code [n]}
 */
record SyntheticBatch(Tensor images, Tensor labels) {

  static SyntheticBatch draw(BenchSettings settings, ComputeDevice device) {
    Random random = new Random(settings.seed());
    long[] classes = random.longs(settings.batchSize(), 0, settings.numClasses()).toArray();
    int side = settings.resolution();
    try (StepScope scope = StepScope.open()) {
      Tensor images =
          torch.randn(
              new long[] {settings.batchSize(), 3, side, side},
              Tensors.options(ScalarType.Float, Tensors.cpu()));
      Tensor labels = Tensors.of(classes, classes.length);
      return new SyntheticBatch(
          Retained.retain(images.to(device.device(), ScalarType.Float)),
          Retained.retain(labels.to(device.device(), ScalarType.Long)));
    }
  }

  int size() {
    return (int) labels.size(0);
  }
}
