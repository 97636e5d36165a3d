package org.repopt4j.nn;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.runtime.Tensors;

/**
 * {@code y = x Wᵀ + b} of {@code [n, in]}, with the parameters {@code weight} and {@code bias},
 * initialised as {@code torch.nn.Linear}.
 */
public final class Linear extends Layer {
  private final Tensor weight;
  private final TensorOptional biasArgument;

  /** A linear layer with fresh values from libtorch's default generator. */
  public Linear(int in, int out) {
    super("Linear");
    this.weight = parameter("weight", UniformInitialization.weight(out, in));
    Tensor bias = parameter("bias", UniformInitialization.bias(out, out, in));
    this.biasArgument = owned(Tensors.optional(bias));
  }

  @Override
  public Tensor forward(Tensor input) {
    return torch.linear(input, weight, biasArgument);
  }
}
