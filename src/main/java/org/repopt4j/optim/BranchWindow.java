package org.repopt4j.optim;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.Branch;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * The part of a block's kernel in which one branch has parameters, as a view: its window at the
 * centre and, where the branch has more groups than the block, the inputs of each group.
 *
 * <p>Shapes, with B groups of the block, r times as many of the branch, o outputs and i inputs per
 * group of the branch: {@code [B·r·o, i, kh, kw]} where r is 1, otherwise {@code [B, o, i, kh, kw,
 * r]}.
 */
final class BranchWindow {
  private final KernelShape block;
  private final Branch branch;
  private final Tensor factors;
  private final Tensor magnitudes;
  private final Tensor terms;

  private BranchWindow(
      KernelShape block,
      Branch branch,
      UpdateRule rule,
      double eps,
      ScalarType type,
      Device device) {
    this.block = block;
    this.branch = branch;
    double[] factor = branch.scales();
    double[] absolute = branch.scales();
    double[] quotient = branch.scales();
    for (int o = 0; o < absolute.length; o++) {
      if (rule == UpdateRule.SGD) {
        // In the type's own arithmetic, as the official code squares a float32 scale.
        factor[o] =
            type == ScalarType.Float
                ? (float) factor[o] * (float) factor[o]
                : factor[o] * factor[o];
      }
      absolute[o] = Math.abs(absolute[o]);
      // A branch with the scale 0 never steps, not even where ε is 0.
      quotient[o] = absolute[o] == 0 ? Double.POSITIVE_INFINITY : eps / absolute[o];
    }
    this.factors = column(factor, type, device);
    this.magnitudes = column(absolute, type, device);
    this.terms = column(quotient, type, device);
  }

  static List<BranchWindow> all(
      GradMult mult, UpdateRule rule, double eps, ScalarType type, Device device) {
    ImmutableList.Builder<BranchWindow> windows = ImmutableList.builder();
    try (StepScope scope = StepScope.open()) {
      for (Branch branch : mult.branches()) {
        windows.add(new BranchWindow(mult.shape(), branch, rule, eps, type, device));
      }
    }
    return windows.build();
  }

  /** The view of a tensor of the block's kernel shape. */
  Tensor of(Tensor kernel) {
    Tensor window =
        kernel
            .narrow(2, (block.kh() - branch.kh()) / 2, branch.kh())
            .narrow(3, (block.kw() - branch.kw()) / 2, branch.kw());
    return ofGroups(window, block.in() / branch.groups());
  }

  /** {@code s²} for SGD, else {@code s}, in a shape that broadcasts over the view. */
  Tensor factors() {
    return factors;
  }

  /** {@code |s|}, one per output channel, in a shape that broadcasts over the view. */
  Tensor magnitudes() {
    return magnitudes;
  }

  /** {@code ε/|s|}, infinite where s is 0, in a shape that broadcasts over the view. */
  Tensor terms() {
    return terms;
  }

  private Tensor column(double[] values, ScalarType type, Device device) {
    Tensor column = Tensors.of(values, values.length, 1, 1, 1).to(device, type);
    long ratio = branch.groups() / block.groups();
    return Retained.retain(ofGroups(column.expand(-1, ratio, -1, -1), 1));
  }

  private Tensor ofGroups(Tensor window, long inputs) {
    long ratio = branch.groups() / block.groups();
    if (ratio == 1) {
      return window;
    }
    return window
        .view(
            block.groups(),
            ratio,
            block.out() / branch.groups(),
            ratio,
            inputs,
            window.size(2),
            window.size(3))
        .diagonal(0, 1, 3);
  }
}
