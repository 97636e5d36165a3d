package org.repopt4j.nn;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.csla.KernelShape;

/**
 * Squeeze-and-excitation: the channels of {@code [n, channels, h, w]} weighted by a gate that sees
 * their means. Two 1x1 convolutions with bias reduce and expand.
 */
final class SqueezeExcite extends Layer {
  private enum Gate {
    SIGMOID,
    HARD_SIGMOID
  }

  private final Conv2d reduce;
  private final Conv2d expand;
  private final Gate gate;
  private final Scalar zero = owned(new Scalar(0.0));
  private final Scalar three = owned(new Scalar(3.0));
  private final Scalar six = owned(new Scalar(6.0));

  private SqueezeExcite(
      String reduceName, String expandName, int channels, int reduced, Gate gate) {
    super("SqueezeExcite");
    reduce = child(reduceName, new Conv2d(KernelShape.of(reduced, channels, 1, 1), true));
    expand = child(expandName, new Conv2d(KernelShape.of(channels, reduced, 1, 1), true));
    this.gate = gate;
  }

  /** RepOpt-VGG's post-SE (official {@code se_block.py}): a quarter of the channels, sigmoid. */
  static SqueezeExcite vgg(int channels) {
    return new SqueezeExcite("down", "up", channels, channels / 4, Gate.SIGMOID);
  }

  /** RepOpt-GhostNet's (official {@code repoptghostnet_model.py}): hard sigmoid. */
  static SqueezeExcite ghost(int channels) {
    return new SqueezeExcite(
        "conv_reduce", "conv_expand", channels, ghostReduced(channels), Gate.HARD_SIGMOID);
  }

  /** The inner channels of RepOpt-GhostNet's. */
  static int ghostReduced(int channels) {
    return GhostArchitecture.makeDivisible(channels * 0.25);
  }

  @Override
  public Tensor forward(Tensor input) {
    Tensor mean = torch.adaptive_avg_pool2d(input, 1, 1);
    Tensor excitation = expand.forward(torch.relu_(reduce.forward(mean)));
    return input.mul(gate(excitation));
  }

  private Tensor gate(Tensor x) {
    return gate == Gate.SIGMOID
        ? torch.sigmoid(x)
        : torch.hardtanh(x.add(three), zero, six).div(six);
  }
}
