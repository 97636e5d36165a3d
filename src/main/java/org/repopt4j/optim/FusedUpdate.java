package org.repopt4j.optim;

import static org.repopt4j.optim.AdamWOptions.EXP_AVG;
import static org.repopt4j.optim.AdamWOptions.EXP_AVG_SQ;
import static org.repopt4j.optim.AdamWOptions.MAX_EXP_AVG_SQ;
import static org.repopt4j.optim.SgdOptions.MOMENTUM_BUFFER;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.runtime.UpdateKernels;
import org.repopt4j.runtime.UpdateKernels.Instructions;

/**
 * {@link ReferenceUpdate} in one pass over the memory of all parameters, by our own native code
 * ({@link UpdateKernels}): every element is read once, computed in float64, rounded once and
 * written. The Grad Mult is computed from its compact form on the way.
 *
 * <p>It takes float32 and float64 parameters on the CPU, and bfloat16 ones that have a float32
 * master, of the contiguous and the channels-last layout; others go the way of {@link
 * MultiTensorUpdate}.
 */
final class FusedUpdate implements UpdateEngine {
  private final UpdateEngine others = new MultiTensorUpdate();
  private final Optional<Instructions> instructions;
  private final UpdateTable table = new UpdateTable();

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
    List<ParameterState> mine = new ArrayList<>();
    others.sgd(rest(states, mine), learningRate, options, extras);
    if (mine.isEmpty()) {
      return;
    }
    double factor = SeparatePasses.factor(options.maximize(), extras);
    double momentum = options.momentum();
    table.begin(UpdateRule.SGD, mine.size(), extras);
    for (ParameterState state : mine) {
      double rate = learningRate * state.group().learningRateScale();
      boolean first = !state.has(MOMENTUM_BUFFER);
      table.row(state, momentum == 0 ? null : MOMENTUM_BUFFER, null, null);
      table.numbers(
          factor,
          state.group().weightDecay(),
          first ? 0 : momentum,
          first ? 1 : 1 - options.dampening(),
          momentum == 0 || options.nesterov() ? rate : 0,
          options.nesterov() ? rate * momentum : momentum == 0 ? 0 : rate);
    }
    table.update(Natives.threads(), instructions.orElseThrow());
  }

  @Override
  public void adamW(
      List<ParameterState> states, double learningRate, AdamWOptions options, StepExtras extras) {
    List<ParameterState> mine = new ArrayList<>();
    others.adamW(rest(states, mine), learningRate, options, extras);
    if (mine.isEmpty()) {
      return;
    }
    double factor = SeparatePasses.factor(options.maximize(), extras);
    table.begin(options.rule(), mine.size(), extras);
    for (ParameterState state : mine) {
      double rate = learningRate * state.group().learningRateScale();
      table.row(state, EXP_AVG, EXP_AVG_SQ, options.amsgrad() ? MAX_EXP_AVG_SQ : null);
      long t = state.countStep();
      table.numbers(
          factor,
          1 - rate * state.group().weightDecay(),
          options.beta1(),
          1 - options.beta1(),
          options.beta2(),
          1 - options.beta2(),
          rate / options.biasCorrection1(t),
          1 / Math.sqrt(options.biasCorrection2(t)),
          options.eps());
    }
    table.update(Natives.threads(), instructions.orElseThrow());
  }

  /** Sorts out the parameters that the kernels take; the others are returned. */
  private List<ParameterState> rest(List<ParameterState> states, List<ParameterState> mine) {
    List<ParameterState> rest = new ArrayList<>();
    for (ParameterState state : states) {
      (instructions.isPresent() && takes(state) ? mine : rest).add(state);
    }
    return rest;
  }

  private static boolean takes(ParameterState state) {
    ScalarType type = Tensors.type(state.parameter());
    boolean known =
        type == ScalarType.Float
            || type == ScalarType.Double
            || (type == ScalarType.BFloat16 && state.hasMaster());
    return known
        && state.parameter().is_cpu()
        && (state.parameter().is_contiguous() || isChannelsLast(state))
        && state.parameter().layout().value == torch.Layout.Strided.value;
  }

  static boolean isChannelsLast(ParameterState state) {
    return state.parameter().is_contiguous(MemoryFormat.ChannelsLast);
  }
}
