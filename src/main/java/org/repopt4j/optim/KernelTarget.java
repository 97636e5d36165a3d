package org.repopt4j.optim;

import java.util.Optional;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.CudaKernels;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.runtime.UpdateKernels;
import org.repopt4j.runtime.UpdateKernels.Instructions;

/**
 * What the rows of one table have in common: the device, and there, because a kernel of its own is
 * launched for each, the type.
 *
 * @param cuda the index of the CUDA device, -1 for the CPU
 * @param type of the parameters; on the CPU rows of several types make up one table
 */
record KernelTarget(int cuda, ScalarType type) {
  private static final int CPU = -1;

  /** The target of this parameter, if there are kernels for it. */
  static Optional<KernelTarget> of(ParameterState state, Optional<Instructions> cpu) {
    Tensor parameter = state.parameter();
    ScalarType type = Tensors.type(parameter);
    boolean known =
        switch (type) {
          case Float, Double -> true;
          case BFloat16 -> state.hasMaster();
          case Half -> state.hasMaster() && parameter.is_cuda();
          default -> false;
        };
    if (!known || !UpdateTable.isDense(parameter)) {
      return Optional.empty();
    }
    if (parameter.is_cpu() && cpu.isPresent()) {
      return Optional.of(new KernelTarget(CPU, ScalarType.Float));
    }
    // The kernels count in 32 bits, up to a piece beyond the end.
    if (parameter.is_cuda() && parameter.numel() <= Integer.MAX_VALUE - UpdateTable.PIECE) {
      int index = parameter.device().index();
      return CudaKernels.of(index).map(kernels -> new KernelTarget(index, type));
    }
    return Optional.empty();
  }

  /** Carries out the step of a table's rows. */
  void launch(UpdateRule rule, UpdateTable table, Optional<Instructions> cpu, Device device) {
    if (cuda == CPU) {
      UpdateKernels.update(
          number(rule), table.fields(), table.rows(), Natives.threads(), cpu.orElseThrow());
    } else {
      CudaKernels.of(cuda)
          .orElseThrow()
          .update(
              kernel(rule),
              table.fields(),
              table.rows(),
              UpdateTable.PIECE,
              table.pieces(),
              device);
    }
  }

  private String kernel(UpdateRule rule) {
    String name =
        switch (rule) {
          case SGD -> "repopt_sgd";
          case ADAMW_OFFICIAL -> "repopt_adamw_official";
          case ADAMW_EXACT -> "repopt_adamw_exact";
        };
    return name
        + switch (type) {
          case Float -> "_float32";
          case Double -> "_float64";
          case BFloat16 -> "_bfloat16";
          case Half -> "_float16";
          default -> throw new IllegalStateException("no kernels for " + type);
        };
  }

  static int number(UpdateRule rule) {
    return switch (rule) {
      case SGD -> 0;
      case ADAMW_OFFICIAL -> 1;
      case ADAMW_EXACT -> 2;
    };
  }
}
