package org.repopt4j.optim;

import static org.repopt4j.optim.AdamWOptions.EXP_AVG;
import static org.repopt4j.optim.AdamWOptions.EXP_AVG_SQ;
import static org.repopt4j.optim.AdamWOptions.MAX_EXP_AVG_SQ;
import static org.repopt4j.optim.SgdOptions.MOMENTUM_BUFFER;

import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * The updates as the paper and the official code state them, tensor by tensor: grad mult, weight
 * decay, momentum, learning rate. It works for every floating-point type on every device and is
 * what other engines are measured against.
 */
final class ReferenceUpdate implements UpdateEngine {
  /** Official {@code repoptimizer_sgd.py}. */
  @Override
  public void sgd(
      List<ParameterState> states, double learningRate, SgdOptions options, StepExtras extras) {
    for (ParameterState state : states) {
      try (StepScope scope = StepScope.open()) {
        Tensor grad = SeparatePasses.gradient(state, options.maximize(), extras);
        sgd(state, grad, learningRate * state.group().learningRateScale(), options);
        SeparatePasses.after(state, extras);
      }
    }
  }

  private static void sgd(ParameterState state, Tensor grad, double lr, SgdOptions options) {
    Tensor p = state.updated();
    Tensor d = grad;
    if (state.gradMult().isPresent()) {
      d = d.mul(dense(state, UpdateRule.SGD));
    }
    if (state.group().weightDecay() != 0) {
      d = d.add(p, scalar(state.group().weightDecay()));
    }
    if (options.momentum() != 0) {
      boolean first = !state.has(MOMENTUM_BUFFER);
      Tensor buffer = state.begun(MOMENTUM_BUFFER);
      if (first) {
        buffer.copy_(d);
      } else {
        buffer.mul_(scalar(options.momentum())).add_(d, scalar(1 - options.dampening()));
      }
      d = options.nesterov() ? d.add(buffer, scalar(options.momentum())) : buffer;
    }
    p.add_(d, scalar(-lr));
  }

  /** Official {@code repoptimizer_adamw.py}, and the exact rule. */
  @Override
  public void adamW(
      List<ParameterState> states, double learningRate, AdamWOptions options, StepExtras extras) {
    for (ParameterState state : states) {
      try (StepScope scope = StepScope.open()) {
        Tensor grad = SeparatePasses.gradient(state, options.maximize(), extras);
        adamW(state, grad, learningRate * state.group().learningRateScale(), options);
        SeparatePasses.after(state, extras);
      }
    }
  }

  private static void adamW(ParameterState state, Tensor grad, double lr, AdamWOptions options) {
    boolean multiplied = state.gradMult().isPresent();
    boolean official = options.rule() == UpdateRule.ADAMW_OFFICIAL;
    Tensor p = state.updated();
    Tensor g = grad;
    if (multiplied && official) {
      g = g.mul(dense(state, options.rule()));
    }
    p.mul_(scalar(1 - lr * state.group().weightDecay()));

    Tensor m = state.begun(EXP_AVG);
    Tensor v = state.begun(EXP_AVG_SQ);
    m.mul_(scalar(options.beta1())).add_(g, scalar(1 - options.beta1()));
    v.mul_(scalar(options.beta2())).addcmul_(g, g, scalar(1 - options.beta2()));
    if (options.amsgrad()) {
      Tensor max = state.begun(MAX_EXP_AVG_SQ);
      v = max.copy_(torch.maximum(max, v));
    }

    long t = state.countStep();
    Scalar step = scalar(-lr / options.biasCorrection1(t));
    Scalar eps = scalar(options.eps());
    Tensor root = v.sqrt().div_(scalar(Math.sqrt(options.biasCorrection2(t))));
    if (!multiplied) {
      p.addcdiv_(m, root.add_(eps), step);
    } else if (official) {
      p.addcdiv_(m.mul(dense(state, options.rule())), root.add_(eps), step);
    } else {
      for (Tensor s : state.gradMult().get().supports(Tensors.type(p), p.device())) {
        Tensor ratio = s.mul(s.mul(m)).div_(s.abs().mul_(root).add_(eps));
        // Outside of the branch's support there is nothing to step, not even 0 / 0.
        p.add_(torch.where(s.ne(scalar(0)), ratio, scalar(0)), step);
      }
    }
  }

  private static Tensor dense(ParameterState state, UpdateRule rule) {
    Tensor p = state.updated();
    return state.gradMult().orElseThrow().dense(rule, Tensors.type(p), p.device());
  }

  private static Scalar scalar(double value) {
    return new Scalar(value);
  }
}
