package org.repopt4j.train;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * What training lowers: cross entropy with label smoothing, as timm's {@code
 * LabelSmoothingCrossEntropy} computes it.
 */
public final class Losses {
  private static final int MEAN = 1;
  private static final long NO_IGNORED_INDEX = -100;

  private Losses() {}

  /**
   * The mean loss of a batch.
   *
   * @param logits {@code [n, classes]}
   * @param labels {@code [n]}, int64
   * @param smoothing share of the target given to all classes alike, 0 for plain cross entropy
   */
  public static Tensor crossEntropy(Tensor logits, Tensor labels, double smoothing) {
    return torch.cross_entropy_loss(
        logits, labels, new TensorOptional(), MEAN, NO_IGNORED_INDEX, smoothing);
  }

  /** The loss's share in a step of several batches. */
  static Tensor share(Tensor loss, int batches) {
    return batches == 1 ? loss : loss.div(new Scalar((double) batches));
  }
}
