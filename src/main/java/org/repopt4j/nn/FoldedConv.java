package org.repopt4j.nn;

import static com.google.common.base.Preconditions.checkState;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.runtime.Tensors;

/**
 * A convolution with bias on the way to a deployed network, in float64 on the CPU, so that many
 * foldings round once.
 *
 * @param kernel {@code [out, in/groups, kh, kw]}
 * @param bias {@code [out]}
 */
record FoldedConv(Tensor kernel, Tensor bias) {

  static FoldedConv of(Conv2d conv) {
    Tensor bias =
        conv.bias()
            .map(FoldedConv::exact)
            .orElseGet(() -> Tensors.zeros(ScalarType.Double, Tensors.cpu(), conv.shape().out()));
    return new FoldedConv(exact(conv.weight()), bias);
  }

  /** The identity as a 1x1 kernel with the groups of a convolution that it stands beside. */
  static FoldedConv identity(KernelShape beside) {
    int channels = beside.out();
    int inputs = beside.inPerGroup();
    double[] kernel = new double[channels * inputs];
    for (int o = 0; o < channels; o++) {
      kernel[o * inputs + o % inputs] = 1;
    }
    return new FoldedConv(
        Tensors.of(kernel, channels, inputs, 1, 1),
        Tensors.zeros(ScalarType.Double, Tensors.cpu(), channels));
  }

  /** This with a scale, a BN or nothing ({@code null}) behind it. */
  FoldedConv then(Layer after) {
    if (after == null) {
      return this;
    }
    if (after instanceof ScaleLayer scale) {
      return times(exact(scale.weight()));
    }
    checkState(after instanceof BatchNorm2d, "a %s cannot be folded", after.getClass());
    BatchNorm2d norm = (BatchNorm2d) after;
    Tensor deviation = exact(norm.runningVar()).add(new Scalar(BatchNorm2d.EPSILON)).sqrt();
    FoldedConv centred = new FoldedConv(kernel, bias.sub(exact(norm.runningMean())));
    FoldedConv normalised = centred.times(exact(norm.weight()).div(deviation));
    return new FoldedConv(normalised.kernel, normalised.bias.add(exact(norm.bias())));
  }

  private FoldedConv times(Tensor factors) {
    return new FoldedConv(kernel.mul(factors.view(-1, 1, 1, 1)), bias.mul(factors));
  }

  /** The sum with a convolution whose kernel is at most as large, centre on centre. */
  FoldedConv plus(FoldedConv smaller) {
    long top = (kernel.size(2) - smaller.kernel.size(2)) / 2;
    long left = (kernel.size(3) - smaller.kernel.size(3)) / 2;
    Tensor padded = torch.constant_pad_nd(smaller.kernel, new long[] {left, left, top, top});
    return new FoldedConv(kernel.add(padded), bias.add(smaller.bias));
  }

  private static Tensor exact(Tensor tensor) {
    return tensor.detach().to(Tensors.cpu(), ScalarType.Double);
  }
}
