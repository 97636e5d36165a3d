package org.repopt4j.csla;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkNotNull;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * A constant-scale linear addition: the shape of the convolution that it becomes, and its branches.
 * Immutable; each method that adds a branch gives a new block.
 *
 * <pre>{@code
 * CslaBlock block = CslaBlock.of(KernelShape.of(64, 64, 3, 3)).conv(3, 3, s33).conv(1, 3, s13).conv(3, 1, s31).identity();
 * weight.copy_(block.equivalentKernel(kernels));   // rule of initialization
 * GradMult mult = block.gradMult();                // rule of iteration
 * }</pre>
 *
 * <p>Float32 results are computed branch by branch in the order in which the branches were added,
 * as the official {@code repoptvgg_impl.py} does, so that they are equal to it bit for bit.
 */
public final class CslaBlock {
  private final KernelShape shape;
  private final ImmutableList<Branch> branches;

  private CslaBlock(KernelShape shape, ImmutableList<Branch> branches) {
    this.shape = shape;
    this.branches = branches;
  }

  /** A block without branches, to begin with. */
  public static CslaBlock of(KernelShape shape) {
    return new CslaBlock(checkNotNull(shape, "shape"), ImmutableList.of());
  }

  /**
   * Adds a convolution with the block's own groups.
   *
   * @param kh kernel height, odd, at most the block's
   * @param kw kernel width, odd, at most the block's
   * @param scales one finite constant for each output channel
   * @throws IllegalArgumentException if one of these does not hold
   */
  public CslaBlock conv(int kh, int kw, double[] scales) {
    return with(Branch.conv(shape, kh, kw, shape.groups(), scales));
  }

  /** Adds a convolution with the same constant scale for every output channel. */
  public CslaBlock conv(int kh, int kw, double scale) {
    double[] scales = new double[shape.out()];
    Arrays.fill(scales, scale);
    return conv(kh, kw, scales);
  }

  /** Adds a convolution whose scales are the values of a tensor of {@code out} elements. */
  public CslaBlock conv(int kh, int kw, Tensor scales) {
    return conv(kh, kw, Tensors.toDoubles(scales));
  }

  /**
   * Adds a convolution with groups of its own, for example a depthwise branch ({@code groups = in})
   * of a dense block.
   *
   * @param groups a multiple of the block's groups that divides in and out
   */
  public CslaBlock conv(int kh, int kw, int groups, double[] scales) {
    return with(Branch.conv(shape, kh, kw, groups, scales));
  }

  /**
   * Adds the identity: a trainable diagonal 1x1 kernel with the constant scale 1.
   *
   * @throws IllegalArgumentException if in and out differ, if the stride is not 1, or if the block
   *     has an identity already
   */
  public CslaBlock identity() {
    checkArgument(
        branches.stream().noneMatch(Branch::isIdentity),
        "the block has an identity branch already");
    return with(Branch.identity(shape));
  }

  private CslaBlock with(Branch branch) {
    return new CslaBlock(
        shape, ImmutableList.<Branch>builder().addAll(branches).add(branch).build());
  }

  /** The convolution that this block becomes. */
  public KernelShape shape() {
    return shape;
  }

  /** The branches in the order in which they were added. */
  public List<Branch> branches() {
    return branches;
  }

  /**
   * The rule of initialization, {@code W' = Σ_b s_b ⊙ embed(W_b)} (paper, section 3.3).
   *
   * @param kernels one for each branch, in order, each {@code [out, in/groups, kh, kw]} of its
   *     branch; the identity's is its diagonal, {@code [out]} or {@code [out, 1, 1, 1]}
   * @return a new kernel {@code [out, in/groups, kh, kw]} of the kernels' type and device, without
   *     gradient
   * @throws IllegalArgumentException if a kernel is missing or has another shape, or if they differ
   *     in type
   */
  public Tensor equivalentKernel(List<Tensor> kernels) {
    checkBranches();
    checkArgument(
        kernels.size() == branches.size(),
        "the block has %s branches %s, but %s kernels were given",
        branches.size(),
        branches,
        kernels.size());
    ScalarType type = kernels.get(0).scalar_type().intern();
    for (Tensor kernel : kernels) {
      ScalarType other = kernel.scalar_type().intern();
      checkArgument(
          other == type, "the kernels of a block must have one type, got: %s and %s", type, other);
    }
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      Tensor sum = null;
      for (int b = 0; b < branches.size(); b++) {
        Tensor term = Embedding.of(shape, branches.get(b)).embedScaled(kernels.get(b));
        sum = sum == null ? term : sum.add(term);
      }
      return scope.keep(sum);
    }
  }

  /** {@link #equivalentKernel(List)} for kernels one by one. */
  public Tensor equivalentKernel(Tensor... kernels) {
    return equivalentKernel(ImmutableList.copyOf(kernels));
  }

  /** The rule of iteration for the equivalent kernel. */
  public GradMult gradMult() {
    checkBranches();
    return new GradMult(shape, branches);
  }

  /**
   * A module that trains as the block itself, with fresh kernels; the yardstick for the equivalent
   * convolution.
   */
  public CslaConv2d module() {
    checkBranches();
    return new CslaConv2d(this);
  }

  private void checkBranches() {
    checkArgument(!branches.isEmpty(), "the block %s has no branch yet", shape);
  }

  @Override
  public String toString() {
    return "CslaBlock" + shape + branches;
  }
}
