package org.repopt4j.optim;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.Branch;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.KernelShape;
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
  private final Tensor scales;
  private final Tensor divisors;

  private BranchWindow(KernelShape block, Branch branch, ScalarType type, Device device) {
    this.block = block;
    this.branch = branch;
    double[] signed = branch.scales();
    double[] positive = branch.scales();
    for (int o = 0; o < positive.length; o++) {
      // A branch with the scale 0 never steps: 0 · 0 over any divisor but 0.
      positive[o] = positive[o] == 0 ? 1 : Math.abs(positive[o]);
    }
    this.scales = column(signed, type, device);
    this.divisors = column(positive, type, device);
  }

  static List<BranchWindow> all(GradMult mult, ScalarType type, Device device) {
    ImmutableList.Builder<BranchWindow> windows = ImmutableList.builder();
    try (StepScope scope = StepScope.open()) {
      for (Branch branch : mult.branches()) {
        windows.add(new BranchWindow(mult.shape(), branch, type, device));
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

  /** The scales, one per output channel, in a shape that broadcasts over the view. */
  Tensor scales() {
    return scales;
  }

  /** The absolute scales, with 1 for 0, in a shape that broadcasts over the view. */
  Tensor divisors() {
    return divisors;
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
