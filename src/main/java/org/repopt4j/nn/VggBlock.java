package org.repopt4j.nn;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.csla.KernelShape;

/**
 * One block of RepOpt-VGG: {@code RealVGGBlock}, {@code RepVGGBlock} or {@code LinearAddBlock} of
 * the official {@code repoptvgg_model.py}, according to its mode.
 */
final class VggBlock extends Layer {
  private final LinearAddition linear;
  private final SqueezeExcite postSe;

  VggBlock(VggArchitecture.Row row, boolean postSe, Mode mode) {
    super("VggBlock");
    BlockSpec spec = row.spec();
    KernelShape pointwise = KernelShape.of(row.out(), row.in(), 1, 1).withStride(row.stride());
    this.linear =
        switch (mode) {
          case TARGET, DEPLOY -> LinearAddition.convBn(this, "conv", "bn", spec.shape(), mode);
          case MULTI_BRANCH -> multiBranch(spec, pointwise);
          case CSLA, HS -> scaled(spec, pointwise, scaleInit(row.index()), mode);
        };
    this.postSe = postSe ? child("post_se", SqueezeExcite.vgg(row.out())) : null;
  }

  private LinearAddition multiBranch(BlockSpec spec, KernelShape pointwise) {
    int out = spec.shape().out();
    Conv2d conv3x3 = child("conv_3x3", new Conv2d(spec.shape(), false));
    BatchNorm2d norm3x3 = child("bn_3x3", new BatchNorm2d(out));
    Conv2d conv1x1 = child("conv_1x1", new Conv2d(pointwise, false));
    BatchNorm2d norm1x1 = child("bn_1x1", new BatchNorm2d(out));
    LinearAddition sum = LinearAddition.of(conv3x3, norm3x3).plus(conv1x1, norm1x1);
    return spec.hasIdentity() ? sum.plusIdentity(child("bn_identity", new BatchNorm2d(out))) : sum;
  }

  private LinearAddition scaled(BlockSpec spec, KernelShape pointwise, double init, Mode mode) {
    int out = spec.shape().out();
    boolean trainable = mode == Mode.HS;
    Conv2d conv = child("conv", new Conv2d(spec.shape(), false));
    ScaleLayer scaleConv = child("scale_conv", new ScaleLayer(out, init, trainable));
    Conv2d conv1x1 = child("conv_1x1", new Conv2d(pointwise, false));
    ScaleLayer scale1x1 = child("scale_1x1", new ScaleLayer(out, init, trainable));
    LinearAddition sum = LinearAddition.of(conv, scaleConv).plus(conv1x1, scale1x1);
    if (spec.hasIdentity()) {
      // The identity's factor is the trainable kernel of its branch, in csla networks too.
      sum = sum.plusIdentity(child("scale_identity", new ScaleLayer(out, 1.0, true)));
    }
    return sum.norm(child("bn", new BatchNorm2d(out)));
  }

  /**
   * The deeper in its stage, the smaller the scales with which hyper-search begins (paper, 3.2).
   */
  private static double scaleInit(int index) {
    return index == 0 ? 1.0 : Math.pow(2.0 / index, 0.5);
  }

  @Override
  public Tensor forward(Tensor input) {
    Tensor output = torch.relu_(linear.forward(input));
    return postSe == null ? output : postSe.forward(output);
  }

  LinearAddition linear() {
    return linear;
  }
}
