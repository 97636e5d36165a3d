package org.repopt4j.nn;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.KernelShape;

/**
 * Where in an architecture a CSLA block stands: the path of its module, the convolution that it
 * becomes, and under which official names its branches' scales rest in an hs or csla state dict.
 */
public final class BlockSpec {
  private final String name;
  private final KernelShape shape;
  private final String weight;
  private final String scale;
  private final String pointwiseWeight;
  private final String pointwiseScale;
  private final String identityScale;
  private final ImmutableList<String> scaleNames;

  private BlockSpec(
      String name,
      KernelShape shape,
      String weight,
      String scale,
      String pointwiseWeight,
      String pointwiseScale,
      String identityScale,
      ImmutableList<String> scaleNames) {
    this.name = name;
    this.shape = shape;
    this.weight = weight;
    this.scale = scale;
    this.pointwiseWeight = pointwiseWeight;
    this.pointwiseScale = pointwiseScale;
    this.identityScale = identityScale;
    this.scaleNames = scaleNames;
  }

  /** RepOpt-VGG: 3x3 + 1x1, and the identity where channels and stride allow it. */
  static BlockSpec vgg(String name, int in, int out, int stride) {
    boolean identity = in == out && stride == 1;
    return new BlockSpec(
        name,
        KernelShape.of(out, in, 3, 3).withStride(stride),
        "conv.weight",
        "scale_conv.weight",
        "conv_1x1.weight",
        "scale_1x1.weight",
        identity ? "scale_identity.weight" : null,
        identity
            ? ImmutableList.of("scale_conv.weight", "scale_1x1.weight", "scale_identity.weight")
            : ImmutableList.of("scale_conv.weight", "scale_1x1.weight"));
  }

  /** RepOpt-GhostNet: depthwise KxK + identity. */
  static BlockSpec ghost(String name, int channels, int k) {
    return new BlockSpec(
        name,
        KernelShape.depthwise(channels, k),
        "cheap_operation.0.weight",
        "cheap_operation.1.weight",
        null,
        null,
        "fusion_scale.weight",
        ImmutableList.of("fusion_scale.weight", "cheap_operation.1.weight"));
  }

  /** The path of the block's module, for example {@code stage1.0} or {@code blocks.0.0.ghost1}. */
  public String name() {
    return name;
  }

  /** The convolution that the block becomes. */
  public KernelShape shape() {
    return shape;
  }

  /** Whether the block has an identity branch. */
  public boolean hasIdentity() {
    return identityScale != null;
  }

  /** Whether the block has a 1x1 branch. */
  public boolean hasPointwise() {
    return pointwiseScale != null;
  }

  /** The official names of its scales below the block, in the order of the state dict. */
  public List<String> scaleNames() {
    return scaleNames;
  }

  /** The full name of the target network's kernel that stands for the block. */
  public String weightName() {
    return qualified(weight);
  }

  /** The name of a member below the block as it is in the network's state dict. */
  String qualified(String member) {
    return name.isEmpty() ? member : name + "." + member;
  }

  /** The block with these scales as its constants: the KxK branch, then 1x1, then the identity. */
  public CslaBlock block(BlockScales scales) {
    CslaBlock block = CslaBlock.of(shape).conv(shape.kh(), shape.kw(), scales.doubles(scale));
    if (hasPointwise()) {
      block = block.conv(1, 1, scales.doubles(pointwiseScale));
    }
    return hasIdentity() ? block.identity() : block;
  }

  /**
   * Where the identity's diagonal begins, {@code [out]}: at the searched identity scale.
   *
   * @throws IllegalStateException if the block has no identity
   */
  Tensor identityStart(BlockScales scales) {
    return scales.tensor(identityScale);
  }

  /** The full name of the parameter that is the identity's diagonal in hs and csla networks. */
  String identityName() {
    return qualified(identityScale);
  }

  /** The kernels of a csla network's branches, in the order of {@link #block}. */
  List<Tensor> kernels(Map<String, Tensor> state) {
    List<Tensor> kernels = new ArrayList<>();
    kernels.add(state.get(weightName()));
    if (hasPointwise()) {
      kernels.add(state.get(qualified(pointwiseWeight)));
    }
    if (hasIdentity()) {
      kernels.add(state.get(identityName()));
    }
    return kernels;
  }

  @Override
  public String toString() {
    return name + shape + scaleNames;
  }
}
