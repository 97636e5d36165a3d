package org.repopt4j.nn;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.Tensors;

/**
 * One factor {@code weight} a channel of {@code [n, features, h, w]} (official {@code
 * scale_layer.py}): trainable in hyper-search, constant in a CSLA block.
 */
public final class ScaleLayer extends Layer {
  private final int features;
  private final Tensor weight;

  /** A layer whose factors all begin at {@code initial}. */
  public ScaleLayer(int features, double initial, boolean trainable) {
    super("ScaleLayer");
    this.features = features;
    Tensor values = Tensors.empty(ScalarType.Float, Tensors.cpu(), features);
    try (Scalar scalar = new Scalar(initial)) {
      values.fill_(scalar);
    }
    this.weight = parameter("weight", values, trainable);
  }

  @Override
  public Tensor forward(Tensor input) {
    return input.mul(weight.view(1, features, 1, 1));
  }

  /** The factors, {@code [features]}. */
  public Tensor weight() {
    return weight;
  }
}
