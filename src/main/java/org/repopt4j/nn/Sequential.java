package org.repopt4j.nn;

import org.bytedeco.pytorch.Tensor;

/** Layers one after the other, named as in {@code torch.nn.Sequential}. */
final class Sequential extends Layer {
  private int size;

  Sequential() {
    super("Sequential");
  }

  /** Appends a layer under the next number. */
  <L extends Layer> L append(L layer) {
    return child(String.valueOf(size++), layer);
  }

  @Override
  public Tensor forward(Tensor input) {
    Tensor output = input;
    for (Layer layer : ownChildren()) {
      output = layer.forward(output);
    }
    return output;
  }
}
