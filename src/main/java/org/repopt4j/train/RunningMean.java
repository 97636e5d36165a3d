package org.repopt4j.train;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * Loss and accuracy over many batches, summed on the device: the device is waited for only when
 * somebody reads them, not at each step.
 */
final class RunningMean implements AutoCloseable {
  /**
   * Sum of the losses times images, images whose likeliest class is right, images with the right
   * one among the five likeliest.
   */
  private final Tensor sums;

  private final Tensor marked;
  private long images;
  private long markedImages;

  RunningMean(ComputeDevice device) {
    sums = Retained.retain(Tensors.zeros(ScalarType.Double, device.device(), 3));
    marked = Retained.retain(Tensors.zeros(ScalarType.Double, device.device(), 3));
  }

  /**
   * Adds a batch.
   *
   * @param loss the batch's mean loss
   * @param logits {@code [n, classes]}
   * @param labels {@code [n]}
   */
  void add(Tensor loss, Tensor logits, Tensor labels) {
    long n = labels.size(0);
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      long k = Math.min(5, logits.size(1));
      Tensor best = logits.topk(k, 1, true, true).get1();
      Tensor hits = best.eq(labels.view(-1, 1));
      sums.get(0).add_(loss.detach().to(ScalarType.Double).mul(new Scalar((double) n)));
      sums.get(1).add_(hits.select(1, 0).sum());
      sums.get(2).add_(hits.sum());
    }
    images += n;
  }

  long images() {
    return images;
  }

  /** The three sums, bit for bit. */
  double[] sums() {
    return Tensors.toDoubles(sums);
  }

  /** Remembers what there is now, on the device, which is not waited for. */
  void mark() {
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      marked.copy_(sums);
    }
    markedImages = images;
  }

  /** Goes back to what there was at the last {@link #mark}, or at the beginning. */
  void backToMark() {
    try (NoGrad noGrad = NoGrad.open()) {
      sums.copy_(marked);
    }
    images = markedImages;
  }

  /** Goes on from sums that were read before. */
  void restore(double[] values, long count) {
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      sums.copy_(Tensors.of(values, values.length));
      marked.copy_(sums);
    }
    images = count;
    markedImages = count;
  }

  /** Mean loss, share of right answers, share of right answers among the five likeliest. */
  Means read() {
    double[] values = Tensors.toDoubles(sums);
    double n = Math.max(1, images);
    return new Means(values[0] / n, values[1] / n, values[2] / n);
  }

  /** Means over all images so far. */
  record Means(double loss, double top1, double top5) {}

  @Override
  public void close() {
    sums.close();
    marked.close();
  }
}
