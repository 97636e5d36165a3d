package org.repopt4j.runtime;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The states of libtorch's default generators: the CPU's and that of the device in use. */
public final class RandomStates {
  private static final String CPU = "cpu";
  private static final String CUDA = "cuda";

  private RandomStates() {}

  /** The states now, uint8 tensors by generator; they are copies, and the caller's to close. */
  public static Map<String, Tensor> read(ComputeDevice device) {
    Map<String, Tensor> states = new LinkedHashMap<>();
    try (StepScope scope = StepScope.open()) {
      states.put(CPU, Retained.retain(torch.getDefaultCPUGenerator().get_state()));
      if (device.isCuda()) {
        states.put(CUDA, Retained.retain(cuda(device).get_state()));
      }
    }
    return states;
  }

  /**
   * Puts the generators back; a state for which there is no device is left out.
   *
   * @throws IllegalArgumentException if there is none of the CPU's
   * @throws RuntimeException from libtorch, if one is none of such a generator
   */
  public static void restore(Map<String, Tensor> states, ComputeDevice device) {
    checkArgument(states.containsKey(CPU), "there is no state of the CPU's generator");
    try (StepScope scope = StepScope.open()) {
      torch.getDefaultCPUGenerator().set_state(states.get(CPU));
      if (device.isCuda() && states.containsKey(CUDA)) {
        cuda(device).set_state(states.get(CUDA));
      }
    }
  }

  private static Generator cuda(ComputeDevice device) {
    return torch.globalContext().defaultGenerator(device.device());
  }
}
