package org.repopt4j.csla;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.Arrays;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.Tensors;

/**
 * Where a branch's kernel lies inside the block's kernel: its window at the centre, and the input
 * channels of its groups.
 */
final class Embedding {
  private final KernelShape block;
  private final Branch branch;

  private Embedding(KernelShape block, Branch branch) {
    this.block = block;
    this.branch = branch;
  }

  static Embedding of(KernelShape block, Branch branch) {
    return new Embedding(block, branch);
  }

  /** {@code s ⊙ embed(kernel)}: {@code [out, in/groups, kh, kw]} of the block. */
  Tensor embedScaled(Tensor kernel) {
    long[] expected = branch.tensorShape(block);
    long[] shape = Tensors.shape(kernel);
    boolean diagonal = branch.isIdentity() && Arrays.equals(shape, new long[] {block.out()});
    checkArgument(
        diagonal || Arrays.equals(shape, expected),
        "the kernel of branch %s must have the shape %s, got: %s",
        branch,
        Arrays.toString(expected),
        Arrays.toString(shape));
    Tensor full = diagonal ? kernel.reshape(expected) : kernel;
    return embed(full.mul(column(branch.scales(), full)));
  }

  /** {@code coefficients ⊙ support(b)} in this type on this device. */
  Tensor support(double[] coefficients, ScalarType type, Device device) {
    Tensor ones = Tensors.ones(type, device, branch.tensorShape(block));
    return embed(ones.mul(column(coefficients, ones)));
  }

  private Tensor column(double[] values, Tensor like) {
    return Tensors.of(values, values.length, 1, 1, 1).to(like.device(), like.scalar_type());
  }

  private Tensor embed(Tensor kernel) {
    int top = (block.kh() - branch.kh()) / 2;
    int left = (block.kw() - branch.kw()) / 2;
    Tensor window =
        top == 0 && left == 0
            ? kernel
            : torch.constant_pad_nd(kernel, new long[] {left, left, top, top});
    return branch.groups() == block.groups() ? window : spread(window);
  }

  /**
   * Puts each output channel's inputs at their place among the block's inputs; the others are 0.
   */
  private Tensor spread(Tensor kernel) {
    int out = block.out();
    int wide = block.inPerGroup();
    int narrow = block.in() / branch.groups();
    long[] places = new long[out * narrow];
    for (int o = 0; o < out; o++) {
      int firstOfBranch = o / (out / branch.groups()) * narrow;
      int firstOfBlock = o / (out / block.groups()) * wide;
      for (int i = 0; i < narrow; i++) {
        places[o * narrow + i] = (long) firstOfBranch - firstOfBlock + i;
      }
    }
    Tensor index =
        Tensors.of(places, out, narrow, 1, 1)
            .to(kernel.device(), ScalarType.Long)
            .expand(Tensors.shape(kernel));
    Tensor zeros = Tensors.zeros(kernel.scalar_type(), kernel.device(), block.tensorShape());
    return zeros.scatter(1, index, kernel);
  }
}
