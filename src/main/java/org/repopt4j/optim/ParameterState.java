package org.repopt4j.optim;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.GradMult;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/** One parameter with what its group says about it and with its part of the optimizer's state. */
final class ParameterState {
  /**
   * The state's name of the float32 tensor that is updated in a low-precision parameter's place.
   */
  static final String MASTER = "master_param";

  private final String name;
  private final Tensor parameter;
  private final ParameterGroup group;
  private final Optional<GradMult> gradMult;
  private final Optional<Tensor> master;
  private final Map<String, Tensor> buffers = new LinkedHashMap<>();
  private long steps;

  /** {@code masters}: whether a parameter of less than float32 precision gets a float32 master. */
  ParameterState(
      String name,
      Tensor parameter,
      ParameterGroup group,
      Optional<GradMult> gradMult,
      boolean masters) {
    this.name = name;
    this.parameter = parameter;
    this.group = group;
    this.gradMult = gradMult;
    ScalarType type = Tensors.type(parameter);
    boolean low = type == ScalarType.BFloat16 || type == ScalarType.Half;
    this.master = masters && low ? Optional.of(float32(parameter)) : Optional.empty();
  }

  private static Tensor float32(Tensor parameter) {
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      return Retained.retain(parameter.to(ScalarType.Float));
    }
  }

  String name() {
    return name;
  }

  Tensor parameter() {
    return parameter;
  }

  /** What the step changes: the float32 master where there is one, otherwise the parameter. */
  Tensor updated() {
    return master.orElse(parameter);
  }

  boolean hasMaster() {
    return master.isPresent();
  }

  ParameterGroup group() {
    return group;
  }

  Optional<GradMult> gradMult() {
    return gradMult;
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
    return buffers.computeIfAbsent(buffer, key -> Retained.retain(torch.zeros_like(updated())));
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
    values.forEach(
        (buffer, value) -> {
          if (buffer.equals(MASTER)) {
            updated().copy_(value);
            parameter.copy_(value);
          } else {
            begun(buffer).copy_(value);
          }
        });
    steps = updates;
  }

  /** Refuses an average that is not of the updated tensor's kind. */
  void checkAverage(Tensor average) {
    Tensor like = updated();
    checkArgument(
        Arrays.equals(Tensors.shape(average), Tensors.shape(like))
            && Tensors.type(average) == Tensors.type(like)
            && average.is_cuda() == like.is_cuda()
            && average.device().index() == like.device().index(),
        "the average of '%s' must be a %s tensor of the shape %s on its device, got: %s %s",
        name,
        Tensors.type(like),
        Arrays.toString(Tensors.shape(like)),
        Tensors.type(average),
        Arrays.toString(Tensors.shape(average)));
  }
}
