package org.repopt4j.optim;

import static org.repopt4j.optim.AdamWOptions.EXP_AVG;
import static org.repopt4j.optim.AdamWOptions.EXP_AVG_SQ;
import static org.repopt4j.optim.AdamWOptions.MAX_EXP_AVG_SQ;
import static org.repopt4j.optim.SgdOptions.MOMENTUM_BUFFER;

import com.google.common.collect.Lists;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * {@link ReferenceUpdate} line by line, on lists of tensors in the place of tensors. Parameters for
 * which the same lines hold make up one list: those of one group, with or without a Grad Mult, with
 * equally many updates behind them, up to a size.
 *
 * <p>The exact rule of AdamW reads and writes each branch's part of the parameter in place ({@link
 * BranchWindow}), so that it needs no tensor as large as the parameter per branch. For the other
 * rules the Grad Mults of one list exist as tensors while it is worked on, not longer.
 */
final class MultiTensorUpdate implements UpdateEngine {
  private record Key(
      ParameterGroup group, boolean multiplied, boolean begun, long steps, long part) {}

  /** About how many elements a list may have: what is computed in between stays small. */
  private static final long ELEMENTS = 1 << 20;

  private final Map<ParameterState, List<BranchWindow>> windows = new HashMap<>();

  private interface Rule {
    void step(List<ParameterState> alike, TensorList gradients, double rate);
  }

  private static void step(
      List<ParameterState> states,
      double learningRate,
      boolean maximize,
      StepExtras extras,
      Rule rule) {
    for (List<ParameterState> alike : alike(states)) {
      try (StepScope scope = StepScope.open()) {
        TensorList gradients =
            list(alike, state -> SeparatePasses.gradient(state, maximize, extras));
        rule.step(alike, gradients, learningRate * alike.get(0).group().learningRateScale());
        alike.forEach(state -> SeparatePasses.after(state, extras));
      }
    }
  }

  @Override
  public void sgd(
      List<ParameterState> states, double learningRate, SgdOptions options, StepExtras extras) {
    step(
        states,
        learningRate,
        options.maximize(),
        extras,
        (alike, gradients, rate) -> sgdAlike(alike, gradients, rate, options));
  }

  private void sgdAlike(
      List<ParameterState> alike, TensorList gradients, double lr, SgdOptions options) {
    ParameterState one = alike.get(0);
    TensorList p = list(alike, ParameterState::updated);
    TensorList d = gradients;
    if (one.gradMult().isPresent()) {
      d = d.mul(list(alike, state -> factors(state, UpdateRule.SGD)));
    }
    if (one.group().weightDecay() != 0) {
      d = d.add(p, one.group().weightDecay());
    }
    if (options.momentum() != 0) {
      boolean first = !one.has(MOMENTUM_BUFFER);
      TensorList buffer = list(alike, state -> state.begun(MOMENTUM_BUFFER));
      if (first) {
        buffer.copy_(d);
      } else {
        buffer.mul_(options.momentum()).add_(d, 1 - options.dampening());
      }
      d = options.nesterov() ? d.add(buffer, options.momentum()) : buffer;
    }
    p.add_(d, -lr);
  }

  @Override
  public void adamW(
      List<ParameterState> states, double learningRate, AdamWOptions options, StepExtras extras) {
    step(
        states,
        learningRate,
        options.maximize(),
        extras,
        (alike, gradients, rate) -> adamWAlike(alike, gradients, rate, options));
  }

  private void adamWAlike(
      List<ParameterState> alike, TensorList gradients, double lr, AdamWOptions options) {
    ParameterState one = alike.get(0);
    boolean multiplied = one.gradMult().isPresent();
    boolean official = options.rule() == UpdateRule.ADAMW_OFFICIAL;
    TensorList p = list(alike, ParameterState::updated);
    TensorList g = gradients;
    TensorList factors =
        multiplied && official ? list(alike, state -> factors(state, options.rule())) : null;
    if (factors != null) {
      g = g.mul(factors);
    }
    p.mul_(1 - lr * one.group().weightDecay());

    TensorList m = list(alike, state -> state.begun(EXP_AVG));
    TensorList v = list(alike, state -> state.begun(EXP_AVG_SQ));
    m.mul_(options.beta1()).add_(g, 1 - options.beta1());
    v.mul_(options.beta2()).addcmul_(g, g, 1 - options.beta2());
    String second = EXP_AVG_SQ;
    if (options.amsgrad()) {
      v = list(alike, state -> state.begun(MAX_EXP_AVG_SQ)).maximum_(v);
      second = MAX_EXP_AVG_SQ;
    }

    long t = 0;
    for (ParameterState state : alike) {
      t = state.countStep();
    }
    double step = -lr / options.biasCorrection1(t);
    double correction = Math.sqrt(options.biasCorrection2(t));
    if (multiplied && !official) {
      stepBranches(alike, second, correction, options.eps(), step);
    } else {
      TensorList denominator = v.sqrt().div_(correction).add_(options.eps());
      p.addcdiv_(factors == null ? m : m.mul(factors), denominator, step);
    }
  }

  /**
   * {@code p += step · |s| m / (√v/correction + ε/|s|)} for each branch of each parameter, which is
   * {@code s·(s m) / (|s| √v/correction + ε)} with one division less.
   */
  private void stepBranches(
      List<ParameterState> alike, String second, double correction, double eps, double step) {
    int most =
        alike.stream()
            .mapToInt(state -> windows(state, UpdateRule.ADAMW_EXACT, eps).size())
            .max()
            .orElseThrow();
    // Branch after branch: the windows of one parameter overlap, so they must not share a call.
    for (int b = 0; b < most; b++) {
      int branch = b;
      List<ParameterState> with =
          alike.stream()
              .filter(state -> windows(state, UpdateRule.ADAMW_EXACT, eps).size() > branch)
              .toList();
      Function<ParameterState, BranchWindow> window =
          state -> windows(state, UpdateRule.ADAMW_EXACT, eps).get(branch);
      TensorList p = list(with, state -> window.apply(state).of(state.updated()));
      TensorList m = list(with, state -> window.apply(state).of(state.buffer(EXP_AVG)));
      TensorList v = list(with, state -> window.apply(state).of(state.buffer(second)));
      TensorList magnitudes = list(with, state -> window.apply(state).magnitudes());
      TensorList terms = list(with, state -> window.apply(state).terms());
      p.addcdiv_(m.mul(magnitudes), v.sqrt().div_(correction).add_(terms, 1), step);
    }
  }

  /** The Grad Mult as a tensor like the parameter, for as long as the list's scope is open. */
  private Tensor factors(ParameterState state, UpdateRule rule) {
    Tensor factors = torch.zeros_like(state.updated());
    for (BranchWindow window : windows(state, rule, 0)) {
      window.of(factors).add_(window.factors());
    }
    return factors;
  }

  private List<BranchWindow> windows(ParameterState state, UpdateRule rule, double eps) {
    return windows.computeIfAbsent(
        state,
        any ->
            BranchWindow.all(
                state.gradMult().orElseThrow(),
                rule,
                eps,
                Tensors.type(state.updated()),
                state.parameter().device()));
  }

  private static TensorList list(
      List<ParameterState> alike, Function<ParameterState, Tensor> tensor) {
    return TensorList.of(Lists.transform(alike, tensor::apply));
  }

  private static Collection<List<ParameterState>> alike(List<ParameterState> states) {
    Map<Key, List<ParameterState>> alike = new LinkedHashMap<>();
    long elements = 0;
    for (ParameterState state : states) {
      elements += state.parameter().numel();
      Key key =
          new Key(
              state.group(),
              state.gradMult().isPresent(),
              state.has(MOMENTUM_BUFFER),
              state.steps(),
              elements / ELEMENTS);
      alike.computeIfAbsent(key, any -> new ArrayList<>()).add(state);
    }
    return alike.values();
  }
}
