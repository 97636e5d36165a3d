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
    Map<KernelTarget, List<ParameterState>> targets = new LinkedHashMap<>();
    List<ParameterState> rest = sorted(states, targets);
    if (!rest.isEmpty()) {
      others.sgd(rest, learningRate, options, extras);
    }
    targets.forEach(
        (target, alike) -> {
          UpdateTable table = begin(target, UpdateRule.SGD, alike.size(), extras);
          for (ParameterState state : alike) {
            double rate = learningRate * state.group().learningRateScale();
            addSgd(table, state, rate, options, extras);
          }
          launch(target, table, UpdateRule.SGD, alike);
        });
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
    Map<KernelTarget, List<ParameterState>> targets = new LinkedHashMap<>();
    List<ParameterState> rest = sorted(states, targets);
    if (!rest.isEmpty()) {
      others.adamW(rest, learningRate, options, extras);
    }
    targets.forEach(
        (target, alike) -> {
          UpdateTable table = begin(target, options.rule(), alike.size(), extras);
          for (ParameterState state : alike) {
            double rate = learningRate * state.group().learningRateScale();
            addAdamW(table, state, rate, options, extras);
          }
          launch(target, table, options.rule(), alike);
        });
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

  /** Sorts the parameters by the kernels that take them; the others are returned. */
  private List<ParameterState> sorted(
      List<ParameterState> states, Map<KernelTarget, List<ParameterState>> targets) {
    List<ParameterState> rest = new ArrayList<>();
    for (ParameterState state : states) {
      Optional<KernelTarget> target = KernelTarget.of(state, instructions);
      target
          .map(known -> targets.computeIfAbsent(known, any -> new ArrayList<>()))
          .orElse(rest)
          .add(state);
    }
    return rest;
  }

  private UpdateTable begin(KernelTarget target, UpdateRule rule, int rows, StepExtras extras) {
    UpdateTable table = tables.computeIfAbsent(target, any -> new UpdateTable());
    table.begin(rule, rows, extras);
    return table;
  }

  private void launch(
      KernelTarget target, UpdateTable table, UpdateRule rule, List<ParameterState> alike) {
    target.launch(rule, table, instructions, alike.get(0).parameter().device());
    table.finish();
  }
}
