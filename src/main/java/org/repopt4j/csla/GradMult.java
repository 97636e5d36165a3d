package org.repopt4j.csla;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * The rule of iteration of one convolution in compact form: for each branch its window, its groups
 * and one number per output channel. For a 3x3 block {@code M[o,i,y,x] = a[o] + [centre]·(b[o] +
 * [o==i]·c[o])}: three vectors instead of a tensor as large as the weights.
 *
 * <p>One object serves every {@link UpdateRule}; the optimizer that uses it knows its own.
 * Immutable, without native memory.
 */
public final class GradMult {
  private final KernelShape shape;
  private final ImmutableList<Branch> branches;

  GradMult(KernelShape shape, ImmutableList<Branch> branches) {
    this.shape = shape;
    this.branches = branches;
  }

  /** The convolution whose gradient this belongs to. */
  public KernelShape shape() {
    return shape;
  }

  /** The branches whose scales make up the mult. */
  public List<Branch> branches() {
    return branches;
  }

  /** How many numbers the compact form holds. */
  public long size() {
    return (long) branches.size() * shape.out();
  }

  /**
   * The factor of the gradient as a tensor as large as the kernel, {@code [out, in/groups, kh,
   * kw]}, summed in the branches' order (bit equal to the official code's masks in float32). For
   * cross-checks and plots; training does not need it.
   *
   * @param rule {@link UpdateRule#SGD}: {@code Σ s²}; {@link UpdateRule#ADAMW_OFFICIAL}: {@code Σ
   *     s}
   * @throws IllegalArgumentException for {@link UpdateRule#ADAMW_EXACT}, whose step is no product
   *     with one tensor; see {@link #supports}
   */
  public Tensor dense(UpdateRule rule, ScalarType type, Device device) {
    checkArgument(
        rule != UpdateRule.ADAMW_EXACT,
        "ADAMW_EXACT has no single factor: its step is a sum over the branches; use supports()");
    try (StepScope scope = StepScope.open()) {
      Tensor sum = null;
      for (Branch branch : branches) {
        double[] scales = branch.scales();
        if (rule == UpdateRule.SGD) {
          for (int o = 0; o < scales.length; o++) {
            scales[o] = squared(scales[o], type);
          }
        }
        Tensor term = Embedding.of(shape, branch).support(scales, type, device);
        sum = sum == null ? term : sum.add(term);
      }
      return scope.keep(sum);
    }
  }

  /** {@link #dense(UpdateRule, ScalarType, Device)} in float32 on the CPU. */
  public Tensor dense(UpdateRule rule) {
    return dense(rule, ScalarType.Float, Tensors.cpu());
  }

  /**
   * {@code s_b ⊙ support(b)} of every branch, each as large as the kernel: what {@link
   * UpdateRule#ADAMW_EXACT} sums over. For the reference implementation and for cross-checks.
   */
  public List<Tensor> supports(ScalarType type, Device device) {
    ImmutableList.Builder<Tensor> supports = ImmutableList.builder();
    try (StepScope scope = StepScope.open()) {
      for (Branch branch : branches) {
        supports.add(
            scope.keep(Embedding.of(shape, branch).support(branch.scales(), type, device)));
      }
    }
    return supports.build();
  }

  /** The square as the arithmetic of this type gives it: a float32 scale is squared in float32. */
  private static double squared(double scale, ScalarType type) {
    // A type that a tensor gave is an enum object of its own until it is interned.
    return type.intern() == ScalarType.Float ? (float) scale * (float) scale : scale * scale;
  }

  @Override
  public String toString() {
    return "GradMult" + shape + branches;
  }
}
