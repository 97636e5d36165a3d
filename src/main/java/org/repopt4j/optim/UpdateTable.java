package org.repopt4j.optim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.runtime.UpdateKernels;

/**
 * The table of a step as the kernels read it ({@code Row} in {@code table.h}): a row of fields of
 * eight bytes for each parameter. Every step reads the addresses anew, so that a tensor may get
 * other memory in between.
 */
final class UpdateTable {
  private static final int PARAMETER = 0;
  private static final int GRADIENT = 1;
  private static final int MASTER = 2;
  private static final int BUFFERS = 3;
  private static final int AVERAGE = 6;
  private static final int ELEMENTS = 7;
  private static final int TYPE = 8;
  private static final int CLEAR = 9;
  private static final int KERNEL = 10;
  private static final int BRANCH_COUNT = 15;
  private static final int AVERAGE_DECAY = 17;
  private static final int NUMBERS = 18;
  private static final int FIRST_PIECE = 27;

  /** Elements that a block of threads takes at once on a CUDA device. */
  static final int PIECE = 4096;

  private final Map<ParameterState, CompactMult> mults = new HashMap<>();
  private final List<Runnable> afterwards = new ArrayList<>();
  private long[] fields = new long[0];
  private UpdateRule rule = UpdateRule.SGD;
  private StepExtras extras = StepExtras.NONE;
  private int row;
  private long pieces;

  /** Whether the parameter's memory is of one of the two layouts that a row can describe. */
  static boolean isDense(Tensor parameter) {
    return parameter.is_contiguous() || parameter.is_contiguous(MemoryFormat.ChannelsLast);
  }

  /** Begins the table of a step that has so many rows. */
  void begin(UpdateRule ofRule, int rows, StepExtras ofStep) {
    if (fields.length < rows * UpdateKernels.FIELDS) {
      fields = new long[rows * UpdateKernels.FIELDS];
    }
    rule = ofRule;
    extras = ofStep;
    row = -1;
    pieces = 0;
  }

  /** The next row; buffers that are null are not kept. */
  void row(ParameterState state, String first, String second, String third) {
    row++;
    Tensor parameter = state.parameter();
    boolean plain = parameter.is_contiguous();
    Tensor gradient = gradient(state, plain);
    changes(PARAMETER, parameter);
    if (extras.zeroGradients()) {
      changes(GRADIENT, gradient);
    } else {
      address(GRADIENT, gradient);
    }
    changes(MASTER, state.hasMaster() ? state.updated() : null);
    changes(BUFFERS, first == null ? null : state.begun(first));
    changes(BUFFERS + 1, second == null ? null : state.begun(second));
    changes(BUFFERS + 2, third == null ? null : state.begun(third));
    changes(AVERAGE, average(state, plain));
    put(ELEMENTS, parameter.numel());
    put(TYPE, type(parameter));
    put(CLEAR, extras.zeroGradients() ? 1 : 0);
    put(BRANCH_COUNT, 0);
    state
        .gradMult()
        .map(
            mult ->
                mults.computeIfAbsent(
                    state, any -> new CompactMult(mult, rule, parameter.device())))
        .ifPresent(mult -> mult.write(fields, row * UpdateKernels.FIELDS + KERNEL, !plain));
    put(AVERAGE_DECAY, Double.doubleToRawLongBits(extras.averageDecay()));
    put(FIRST_PIECE, pieces);
    pieces += (parameter.numel() + PIECE - 1) / PIECE;
  }

  /** The row's numbers, in the order of {@code Sgd} or {@code AdamW} in {@code element.h}. */
  void numbers(double... values) {
    for (int n = 0; n < values.length; n++) {
      put(NUMBERS + n, Double.doubleToRawLongBits(values[n]));
    }
  }

  /** All rows, one after the other; there may be more fields than theirs. */
  long[] fields() {
    return fields;
  }

  int rows() {
    return row + 1;
  }

  /** Pieces of {@link #PIECE} elements of all rows together. */
  long pieces() {
    return pieces;
  }

  /** What is left to do after the step because no row could hold it. */
  void finish() {
    afterwards.forEach(Runnable::run);
    afterwards.clear();
  }

  /** The gradient in the parameter's type and layout: itself, or a copy for this step. */
  private Tensor gradient(ParameterState state, boolean plain) {
    Tensor parameter = state.parameter();
    Tensor gradient = parameter.grad();
    if (Tensors.type(gradient) == Tensors.type(parameter) && isLaidOut(gradient, plain)) {
      return gradient;
    }
    if (extras.zeroGradients()) {
      afterwards.add(gradient::zero_);
    }
    return torch.empty_like(parameter).copy_(gradient);
  }

  private Tensor average(ParameterState state, boolean plain) {
    Tensor average = extras.average(state).orElse(null);
    if (average == null || isLaidOut(average, plain)) {
      return average;
    }
    afterwards.add(() -> SeparatePasses.average(state, extras));
    return null;
  }

  private static boolean isLaidOut(Tensor tensor, boolean plain) {
    return plain ? tensor.is_contiguous() : tensor.is_contiguous(MemoryFormat.ChannelsLast);
  }

  private static long type(Tensor parameter) {
    return switch (Tensors.type(parameter)) {
      case Float -> 0;
      case Double -> 1;
      case BFloat16 -> 2;
      case Half -> 3;
      default -> throw new IllegalStateException("no kernels for " + Tensors.type(parameter));
    };
  }

  /** A tensor that the step changes; its version tells autograd so. */
  private void changes(int field, Tensor tensor) {
    if (tensor != null) {
      tensor.unsafeGetTensorImpl().bump_version();
    }
    address(field, tensor);
  }

  private void address(int field, Tensor tensor) {
    put(field, tensor == null || tensor.numel() == 0 ? 0 : tensor.data_ptr().address());
  }

  private void put(int field, long value) {
    fields[row * UpdateKernels.FIELDS + field] = value;
  }
}
