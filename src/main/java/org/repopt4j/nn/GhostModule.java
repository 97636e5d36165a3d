package org.repopt4j.nn;

import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.csla.KernelShape;

/**
 * A Ghost module (official {@code RepOptGhostModule}): a 1x1 convolution, BN and ReLU, then a CSLA
 * block of a depthwise convolution and the identity, BN, and ReLU if asked for. {@code [n, in, h,
 * w]} becomes {@code [n, out, h, w]}.
 */
public final class GhostModule extends Layer {
  private final LinearAddition primary;
  private final LinearAddition cheap;
  private final boolean relu;

  /**
   * A module with fresh weights.
   *
   * @param depthwiseSize sides of the depthwise kernel, odd
   * @param relu whether ReLUs follow the 1x1 convolution and the block
   * @param place the module's place in a run of modules of the same width, from 1; it gives the
   *     initial scale {@code √(2/(place+1))} of an hs module
   */
  public GhostModule(int in, int out, int depthwiseSize, boolean relu, Mode mode, int place) {
    super("RepOptGhostModule");
    this.relu = relu;
    Sequential primaryConv = child("primary_conv", new Sequential());
    primary = LinearAddition.convBn(primaryConv, "0", "1", KernelShape.of(out, in, 1, 1), mode);
    KernelShape depthwise = KernelShape.depthwise(out, depthwiseSize);
    cheap =
        switch (mode) {
          case TARGET -> target(depthwise);
          case DEPLOY -> LinearAddition.of(cheapOperation(depthwise, null, true));
          case MULTI_BRANCH -> multiBranch(depthwise);
          case CSLA -> scaled(depthwise, 1.0, false);
          case HS -> scaled(depthwise, Math.pow(2.0 / (place + 1), 0.5), true);
        };
  }

  private Conv2d cheapOperation(KernelShape depthwise, Layer after, boolean bias) {
    Sequential operation = child("cheap_operation", new Sequential());
    Conv2d conv = operation.append(new Conv2d(depthwise, bias));
    if (after != null) {
      operation.append(after);
    }
    return conv;
  }

  private LinearAddition target(KernelShape depthwise) {
    BatchNorm2d norm = child("final_bn", new BatchNorm2d(depthwise.out()));
    return LinearAddition.of(cheapOperation(depthwise, null, false)).norm(norm);
  }

  private LinearAddition multiBranch(KernelShape depthwise) {
    BatchNorm2d fusion = child("fusion_bn", new BatchNorm2d(depthwise.out()));
    BatchNorm2d after = new BatchNorm2d(depthwise.out());
    return LinearAddition.of(cheapOperation(depthwise, after, false), after).plusIdentity(fusion);
  }

  private LinearAddition scaled(KernelShape depthwise, double init, boolean trainable) {
    int out = depthwise.out();
    ScaleLayer fusion = child("fusion_scale", new ScaleLayer(out, 1.0, true));
    BatchNorm2d norm = child("final_bn", new BatchNorm2d(out));
    ScaleLayer after = new ScaleLayer(out, init, trainable);
    return LinearAddition.of(cheapOperation(depthwise, after, false), after)
        .plusIdentity(fusion)
        .norm(norm);
  }

  @Override
  public Tensor forward(Tensor input) {
    Tensor ghost = cheap.forward(activate(primary.forward(input)));
    return activate(ghost);
  }

  private Tensor activate(Tensor x) {
    return relu ? torch.relu_(x) : x;
  }

  Stream<LinearAddition> linearAdditions() {
    return Stream.of(primary, cheap);
  }
}
