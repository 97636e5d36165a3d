package org.repopt4j.optim;

import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.LongPointer;
import org.repopt4j.csla.Branch;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.Retained;

/**
 * A Grad Mult in native memory as the kernels read it ({@code Branch} in {@code table.h}): three
 * numbers and the address of one float64 coefficient per output channel for each branch, {@code s²}
 * for SGD, {@code s} for AdamW.
 */
final class CompactMult {
  private static final int FIELDS = 4;

  private final KernelShape shape;
  private final int count;
  private final DoublePointer coefficients;
  private final LongPointer branches;

  CompactMult(GradMult mult, UpdateRule rule) {
    this.shape = mult.shape();
    this.count = mult.branches().size();
    this.coefficients = Retained.retain(new DoublePointer((long) count * shape.out()));
    this.branches = Retained.retain(new LongPointer((long) count * FIELDS));
    for (int b = 0; b < count; b++) {
      Branch branch = mult.branches().get(b);
      double[] values = branch.scales();
      if (rule == UpdateRule.SGD) {
        for (int o = 0; o < values.length; o++) {
          values[o] *= values[o];
        }
      }
      long first = (long) b * shape.out();
      coefficients.position(first).put(values, 0, values.length);
      branches
          .position((long) b * FIELDS)
          .put(
              branch.kh(),
              branch.kw(),
              branch.groups(),
              coefficients.position(0).address() + first * Double.BYTES);
    }
    branches.position(0);
  }

  /** Writes the row's fields {@code out} to {@code branches}. */
  void write(long[] row, int at, boolean channelsLast) {
    row[at] = shape.out();
    row[at + 1] = shape.in();
    row[at + 2] = shape.kh();
    row[at + 3] = shape.kw();
    row[at + 4] = shape.groups();
    row[at + 5] = channelsLast ? 1 : 0;
    row[at + 6] = count;
    row[at + 7] = branches.address();
  }
}
