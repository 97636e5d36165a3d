package org.repopt4j.csla;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * A block that trains as it is written: one trainable kernel a branch, the scales constant buffers.
 * Its input is {@code [n, in, h, w]} and its output {@code [n, out, h', w']}, equal to one
 * convolution with {@link #equivalentKernel()}.
 *
 * <p>Parameters are named {@code branch0}, {@code branch1} … in the block's order, scales {@code
 * scale0} …; the identity's parameter is its diagonal, {@code [out, 1, 1, 1]}, which begins at 1.
 */
public final class CslaConv2d extends Module {
  private final CslaBlock block;
  private final ImmutableList<Tensor> kernels;
  private final ImmutableList<Tensor> scales;

  CslaConv2d(CslaBlock block) {
    super("CslaConv2d");
    Retained.retain(this);
    this.block = block;
    List<Tensor> kernelList = new ArrayList<>();
    List<Tensor> scaleList = new ArrayList<>();
    for (Branch branch : block.branches()) {
      int b = kernelList.size();
      // Copies of the handles: what the register methods return lies in a vector that moves as it
      // grows.
      kernelList.add(
          Retained.retain(
              new Tensor(
                  register_parameter("branch" + b, fresh(branch), /* requires_grad= */ true))));
      // In float64, so that a module moved to float64 has the scales as they were given.
      Tensor scale = Tensors.of(branch.scales(), 1, block.shape().out(), 1, 1);
      scaleList.add(Retained.retain(new Tensor(register_buffer("scale" + b, scale))));
    }
    this.kernels = ImmutableList.copyOf(kernelList);
    this.scales = ImmutableList.copyOf(scaleList);
  }

  private Tensor fresh(Branch branch) {
    long[] shape = branch.tensorShape(block.shape());
    if (branch.isIdentity()) {
      return Tensors.ones(ScalarType.Float, Tensors.cpu(), shape);
    }
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      Tensor kernel = Tensors.empty(ScalarType.Float, Tensors.cpu(), shape);
      // The bound of torch.nn.Conv2d's kaiming_uniform_(a=√5) is 1/√fan_in.
      double bound = 1 / Math.sqrt((double) shape[1] * shape[2] * shape[3]);
      kernel.uniform_(-bound, bound, new org.bytedeco.pytorch.GeneratorOptional());
      return scope.keep(kernel);
    }
  }

  /** The block's output for {@code [n, in, h, w]}. */
  public Tensor forward(Tensor input) {
    KernelShape shape = block.shape();
    checkArgument(
        input.dim() == 4 && input.size(1) == shape.in(),
        "the input must have the shape [n, %s, h, w], got: %s",
        shape.in(),
        java.util.Arrays.toString(Tensors.shape(input)));
    Tensor sum = null;
    for (int b = 0; b < kernels.size(); b++) {
      Branch branch = block.branches().get(b);
      int top = shape.paddingH() - (shape.kh() - branch.kh()) / 2;
      int left = shape.paddingW() - (shape.kw() - branch.kw()) / 2;
      // A branch smaller than the block may see less than the input: a negative padding cuts the
      // border off.
      Tensor padded = torch.constant_pad_nd(input, new long[] {left, left, top, top});
      Tensor output =
          torch
              .conv2d(
                  padded,
                  kernels.get(b),
                  Tensors.optional(null),
                  new long[] {shape.stride(), shape.stride()},
                  new long[] {0, 0},
                  new long[] {1, 1},
                  branch.groups())
              .mul(scales.get(b).to(kernels.get(b).scalar_type()));
      sum = sum == null ? output : sum.add(output);
    }
    return sum;
  }

  /** The block that this module trains. */
  public CslaBlock block() {
    return block;
  }

  /** The trainable kernels in the block's order. */
  public List<Tensor> kernels() {
    return kernels;
  }

  /** The one kernel that computes what this module computes now (rule of initialization). */
  public Tensor equivalentKernel() {
    return block.equivalentKernel(kernels);
  }
}
