package org.repopt4j.optim;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Tensors;

/** Checks a saved state as a whole against an optimizer before any of it is copied. */
final class StateLoading {
  private final OptimizerState saved;
  private final UpdateOptions options;
  private final Set<String> unknown;
  private final Map<ParameterState, Map<String, Tensor>> accepted = new LinkedHashMap<>();

  private StateLoading(OptimizerState saved, UpdateOptions options) {
    this.saved = saved;
    this.options = options;
    this.unknown = new HashSet<>(saved.tensors().keySet());
  }

  /**
   * Replaces the states of all parameters.
   *
   * @throws IllegalArgumentException if something does not fit; then nothing has changed
   */
  static void load(OptimizerState saved, UpdateOptions options, List<ParameterState> states) {
    checkArgument(
        saved.rule() == options.rule(),
        "the saved state is that of %s, this optimizer's rule is %s",
        saved.rule(),
        options.rule());
    StateLoading loading = new StateLoading(saved, options);
    Map<String, Long> steps = new HashMap<>(saved.steps());
    for (ParameterState state : states) {
      loading.accept(state);
      steps.remove(state.name());
    }
    checkArgument(
        loading.unknown.isEmpty(),
        "the saved state holds '%s', which this optimizer has no place for: it keeps %s for each of its %s parameters",
        loading.unknown.stream().sorted().findFirst().orElse(""),
        options.buffers(),
        states.size());
    checkArgument(
        steps.isEmpty(),
        "the saved state counts steps of '%s', which is no parameter of this optimizer",
        steps.keySet().stream().sorted().findFirst().orElse(""));
    loading.accepted.forEach(
        (state, values) -> state.restore(values, saved.steps().getOrDefault(state.name(), 0L)));
  }

  private void accept(ParameterState state) {
    Map<String, Tensor> values = new LinkedHashMap<>();
    for (String buffer : options.buffers()) {
      String name = state.name() + "." + buffer;
      Tensor value = saved.tensors().get(name);
      if (value != null) {
        unknown.remove(name);
        checkFits(name, value, state.updated());
        values.put(buffer, value);
      }
    }
    checkArgument(
        values.isEmpty() || values.size() == options.buffers().size(),
        "the saved state of parameter '%s' has %s of the tensors %s only",
        state.name(),
        values.keySet(),
        options.buffers());
    Tensor master = saved.tensors().get(state.name() + "." + ParameterState.MASTER);
    if (state.hasMaster()) {
      checkArgument(
          master != null,
          "the saved state of parameter '%s' has no float32 master, which this optimizer trains it through",
          state.name());
      unknown.remove(state.name() + "." + ParameterState.MASTER);
      checkFits(state.name() + "." + ParameterState.MASTER, master, state.updated());
    }
    Long steps = saved.steps().get(state.name());
    boolean counted = options.countsSteps() && !values.isEmpty();
    checkArgument(
        counted ? steps != null && steps >= 1 : steps == null,
        "parameter '%s' must have %s in the saved state, got: %s",
        state.name(),
        counted ? "at least 1 step" : "no step count",
        steps);
    if (state.hasMaster()) {
      values.put(ParameterState.MASTER, master);
    }
    accepted.put(state, values);
  }

  private static void checkFits(String name, Tensor value, Tensor parameter) {
    checkArgument(
        Arrays.equals(Tensors.shape(value), Tensors.shape(parameter)),
        "'%s' must have its parameter's shape %s, got: %s",
        name,
        Arrays.toString(Tensors.shape(parameter)),
        Arrays.toString(Tensors.shape(value)));
    checkArgument(
        Tensors.type(value) == Tensors.type(parameter),
        "'%s' must have its parameter's type %s, got: %s",
        name,
        Tensors.type(parameter),
        Tensors.type(value));
  }
}
