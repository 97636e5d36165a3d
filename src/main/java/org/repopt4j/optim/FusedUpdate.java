package org.repopt4j.optim;

import static org.repopt4j.optim.AdamWOptions.EXP_AVG;
import static org.repopt4j.optim.AdamWOptions.EXP_AVG_SQ;
import static org.repopt4j.optim.AdamWOptions.MAX_EXP_AVG_SQ;
import static org.repopt4j.optim.SgdOptions.MOMENTUM_BUFFER;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.UpdateKernels;
import org.repopt4j.runtime.UpdateKernels.Instructions;

/**
 * {@link ReferenceUpdate} in one pass over the memory of all parameters, by our own native code
 * ({@link UpdateKernels}, {@link org.repopt4j.runtime.CudaKernels}): every element is read once,
 * computed in float64, rounded once and written. The Grad Mult is computed from its compact form on
 * the way.
 *
 * <p>It takes float32 and float64 parameters, and low-precision ones that have a float32 master, of
 * the contiguous and the channels-last layout, on devices for which there is such code; others go
 * the way of {@link MultiTensorUpdate}.
 */
final class FusedUpdate implements UpdateEngine {
  private final UpdateEngine others = new MultiTensorUpdate();
  private final Optional<Instructions> instructions;
  private final Map<KernelTarget, UpdateTable> tables = new HashMap<>();

  /** With the instructions in use, if there is compiled code at all. */
  FusedUpdate() {
    this(UpdateKernels.instructions());
  }

  FusedUpdate(Optional<Instructions> instructions) {
    this.instructions = instructions;
  }

  @Override
  public void sgd(
      List<ParameterState> states, double learningRate, SgdOptions options, StepExtras extras) {
    step(
        states,
        UpdateRule.SGD,
        extras,
        rest -> others.sgd(rest, learningRate, options, extras),
        (table, state) -> addSgd(table, state, rate(state, learningRate), options, extras));
  }

  private static void addSgd(
      UpdateTable table, ParameterState state, double rate, SgdOptions options, StepExtras extras) {
    double momentum = options.momentum();
    boolean first = !state.has(MOMENTUM_BUFFER);
    table.row(state, momentum == 0 ? null : MOMENTUM_BUFFER, null, null);
    table.numbers(
        SeparatePasses.factor(options.maximize(), extras),
        state.group().weightDecay(),
        first ? 0 : momentum,
        first ? 1 : 1 - options.dampening(),
        momentum == 0 || options.nesterov() ? rate : 0,
        options.nesterov() ? rate * momentum : momentum == 0 ? 0 : rate);
  }

  @Override
  public void adamW(
      List<ParameterState> states, double learningRate, AdamWOptions options, StepExtras extras) {
    step(
        states,
        options.rule(),
        extras,
        rest -> others.adamW(rest, learningRate, options, extras),
        (table, state) -> addAdamW(table, state, rate(state, learningRate), options, extras));
  }

  private static void addAdamW(
      UpdateTable table,
      ParameterState state,
      double rate,
      AdamWOptions options,
      StepExtras extras) {
    table.row(state, EXP_AVG, EXP_AVG_SQ, options.amsgrad() ? MAX_EXP_AVG_SQ : null);
    long t = state.countStep();
    table.numbers(
        SeparatePasses.factor(options.maximize(), extras),
        1 - rate * state.group().weightDecay(),
        options.beta1(),
        1 - options.beta1(),
        options.beta2(),
        1 - options.beta2(),
        rate / options.biasCorrection1(t),
        1 / Math.sqrt(options.biasCorrection2(t)),
        options.eps());
  }

  private static double rate(ParameterState state, double learningRate) {
    return learningRate * state.group().learningRateScale();
  }

  /**
   * One step: the parameters that some kernel takes go into its table by {@code add}, the others to
   * {@code otherwise}.
   */
  private void step(
      List<ParameterState> states,
      UpdateRule rule,
      StepExtras extras,
      Consumer<List<ParameterState>> otherwise,
      BiConsumer<UpdateTable, ParameterState> add) {
    Map<KernelTarget, List<ParameterState>> targets = new LinkedHashMap<>();
    List<ParameterState> rest = new ArrayList<>();
    for (ParameterState state : states) {
      KernelTarget.of(state, instructions)
          .map(target -> targets.computeIfAbsent(target, any -> new ArrayList<>()))
          .orElse(rest)
          .add(state);
    }
    if (!rest.isEmpty()) {
      otherwise.accept(rest);
    }
    targets.forEach(
        (target, alike) -> {
          UpdateTable table = tables.computeIfAbsent(target, any -> new UpdateTable());
          table.begin(rule, alike.size(), extras);
          alike.forEach(state -> add.accept(table, state));
          target.launch(rule, table, instructions, alike.get(0).parameter().device());
          table.finish();
        });
  }
}
