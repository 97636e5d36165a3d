package org.repopt4j.optim;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.Tensors;

/** One parameter with what its group says about it and with its part of the optimizer's state. */
final class ParameterState {
  private final String name;
  private final Tensor parameter;
  private final ParameterGroup group;
  private final Optional<GradMult> gradMult;
  private final Map<String, Tensor> buffers = new LinkedHashMap<>();
  private long steps;
  private Tensor denseMult;

  ParameterState(String name, Tensor parameter, ParameterGroup group, Optional<GradMult> gradMult) {
    this.name = name;
    this.parameter = parameter;
    this.group = group;
    this.gradMult = gradMult;
  }

  String name() {
    return name;
  }

  Tensor parameter() {
    return parameter;
  }

  ParameterGroup group() {
    return group;
  }

  Optional<GradMult> gradMult() {
    return gradMult;
  }

  /** The Grad Mult as a tensor of the parameter's shape and layout; made once. */
  Tensor denseMult(UpdateRule rule) {
    if (denseMult == null) {
      Tensor dense =
          gradMult.orElseThrow().dense(rule, Tensors.type(parameter), parameter.device());
      denseMult = Retained.retain(torch.empty_like(parameter));
      denseMult.copy_(dense);
    }
    return denseMult;
  }

  boolean has(String buffer) {
    return buffers.containsKey(buffer);
  }

  Tensor buffer(String buffer) {
    return buffers.get(buffer);
  }

  /**
   * The buffer, which begins with zeros. Its layout is always the parameter's, so that a state that
   * was saved and loaded is computed on in the same order.
   */
  Tensor begun(String buffer) {
    return buffers.computeIfAbsent(buffer, key -> Retained.retain(torch.zeros_like(parameter)));
  }

  long steps() {
    return steps;
  }

  /** Counts one more update; the number of updates with it. */
  long countStep() {
    return ++steps;
  }

  /** Puts another state in the place of this one. */
  void restore(Map<String, Tensor> values, long updates) {
    buffers.keySet().retainAll(values.keySet());
    values.forEach((buffer, value) -> begun(buffer).copy_(value));
    steps = updates;
  }
}
