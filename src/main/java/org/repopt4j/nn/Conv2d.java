package org.repopt4j.nn;

import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.runtime.WideConvolution;

/**
 * A convolution of {@code [n, in, h, w]}, with the parameters {@code weight} and, if it has one,
 * {@code bias}, initialised as {@code torch.nn.Conv2d}.
 */
public final class Conv2d extends Layer {
  private static final long[] NO_DILATION = {1, 1};

  private final KernelShape shape;
  private final Tensor weight;
  private final Tensor bias;
  private final TensorOptional biasArgument;
  private final long[] stride;
  private final long[] padding;
  private final Optional<WideConvolution> wide;

  /** A convolution with fresh values from libtorch's default generator. */
  public Conv2d(KernelShape shape, boolean bias) {
    super("Conv2d");
    this.shape = shape;
    this.weight = parameter("weight", UniformInitialization.weight(shape.tensorShape()));
    this.bias =
        bias
            ? parameter("bias", UniformInitialization.bias(shape.out(), shape.tensorShape()))
            : null;
    this.biasArgument = owned(Tensors.optional(this.bias));
    this.stride = new long[] {shape.stride(), shape.stride()};
    this.padding = new long[] {shape.paddingH(), shape.paddingW()};
    boolean plain3x3 =
        !bias
            && shape.groups() == 1
            && shape.stride() <= 2
            && shape.kh() == 3
            && shape.kw() == 3
            && shape.paddingH() == 1
            && shape.paddingW() == 1;
    this.wide = plain3x3 ? Optional.of(new WideConvolution(shape.stride())) : Optional.empty();
  }

  @Override
  public Tensor forward(Tensor input) {
    if (wide.isPresent() && wide.get().applies(input, weight)) {
      return wide.get().forward(input, weight);
    }
    return torch.conv2d(input, weight, biasArgument, stride, padding, NO_DILATION, shape.groups());
  }

  /** Channels, kernel, groups, stride and padding. */
  public KernelShape shape() {
    return shape;
  }

  /** The kernel, {@code [out, in/groups, kh, kw]}. */
  public Tensor weight() {
    return weight;
  }

  /** The bias, {@code [out]}. */
  public Optional<Tensor> bias() {
    return Optional.ofNullable(bias);
  }
}
