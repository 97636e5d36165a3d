package org.repopt4j.optim;

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
 * A Grad Mult in the memory of its parameter's device as the kernels read it ({@code Branch} in
 * {@code table.h}): for each branch four numbers, the address of one float64 coefficient per output
 * channel, {@code s²} for SGD, {@code s} for AdamW, and where in the kernel it has parameters.
 */
final class CompactMult {
  private static final int FIELDS = 6;
  private static final int TAP_BITS = 32;

  private final KernelShape shape;
  private final int count;
  private final Tensor coefficients;
  private final Tensor branches;

  CompactMult(GradMult mult, UpdateRule rule, Device device) {
    this.shape = mult.shape();
    this.count = mult.branches().size();
    int out = shape.out();
    double[] values = new double[count * out];
    long[] fields = new long[count * FIELDS];
    for (int b = 0; b < count; b++) {
      Branch branch = mult.branches().get(b);
      for (int o = 0; o < out; o++) {
        double scale = branch.scale(o);
        values[b * out + o] = rule == UpdateRule.SGD ? scale * scale : scale;
      }
    }
    try (StepScope scope = StepScope.open()) {
      coefficients =
          Retained.retain(Tensors.of(values, values.length).to(device, ScalarType.Double));
      long address = coefficients.data_ptr().address();
      for (int b = 0; b < count; b++) {
        Branch branch = mult.branches().get(b);
        int at = b * FIELDS;
        fields[at] = branch.kh();
        fields[at + 1] = branch.kw();
        fields[at + 2] = shape.in() / branch.groups();
        fields[at + 3] = out / branch.groups();
        fields[at + 4] = address + (long) b * out * Double.BYTES;
        fields[at + 5] = taps(shape, branch);
      }
      branches = Retained.retain(Tensors.of(fields, fields.length).to(device, ScalarType.Long));
    }
  }

  /** A bit for each place of the block's kernel that is one of the branch's; 0 of large kernels. */
  private static long taps(KernelShape shape, Branch branch) {
    if (shape.kh() * shape.kw() > TAP_BITS) {
      return 0;
    }
    long bits = 0;
    int top = (shape.kh() - branch.kh()) / 2;
    int left = (shape.kw() - branch.kw()) / 2;
    for (int y = top; y < top + branch.kh(); y++) {
      for (int x = left; x < left + branch.kw(); x++) {
        bits |= 1L << (y * shape.kw() + x);
      }
    }
    return bits;
  }

  /** Writes the row's fields {@code inputs} to {@code branches}. */
  void write(long[] row, int at, boolean channelsLast) {
    row[at] = shape.inPerGroup();
    row[at + 1] = shape.out() / shape.groups();
    row[at + 2] = shape.kh();
    row[at + 3] = shape.kw();
    row[at + 4] = channelsLast ? 1 : 0;
    row[at + 5] = count;
    row[at + 6] = branches.data_ptr().address();
  }
}
