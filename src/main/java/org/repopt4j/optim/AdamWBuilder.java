package org.repopt4j.optim;

import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.UpdateRule;

/**
 * AdamW for a parameter with a Grad Mult. With the gradient g, the rate γ, the weight decay λ, the
 * branches' scales s and the number of updates t:
 *
 * <pre>
 * p = p - γ·λ·p
 * m = β1·m + (1 - β1)·g
 * v = β2·v + (1 - β2)·g²
 * p = p - γ/(1 - β1^t) · Σ_b s_b·(s_b·m) / (|s_b|·√v/√(1 - β2^t) + ε)
 * </pre>
 *
 * <p>This is {@link UpdateRule#ADAMW_EXACT}, the rule if none is set: it equals AdamW on the CSLA
 * block whatever the signs of the scales, and searched scales do differ in sign. {@link
 * UpdateRule#ADAMW_OFFICIAL} is what the official {@code repoptimizer_adamw.py} computes: with
 * {@code M = Σ_b s_b} the moments are those of {@code M·g} and the last line is {@code p = p - γ/(1
 * - β1^t) · M·m / (√v/√(1 - β2^t) + ε)}, the same (up to ε) only where all scales that meet at an
 * element have one sign. Choose it to repeat an official run.
 *
 * <p>With AMSGrad, v in the last line is the largest that there has been.
 */
public final class AdamWBuilder extends RepOptimizerBuilder<AdamWBuilder> {
  private double beta1 = 0.9;
  private double beta2 = 0.999;
  private double eps = 1e-8;
  private boolean amsgrad;
  private boolean maximize;
  private UpdateRule rule = UpdateRule.ADAMW_EXACT;

  AdamWBuilder(ParameterGroups groups) {
    super(groups);
  }

  AdamWBuilder(Map<String, Tensor> named) {
    super(named, /* weightDecay= */ 0.01);
  }

  /** How slowly the first and the second moment forget; 0.9 and 0.999 if not set. In [0, 1). */
  public AdamWBuilder betas(double first, double second) {
    beta1 = Checks.belowOne("beta1", first);
    beta2 = Checks.belowOne("beta2", second);
    return this;
  }

  /** What keeps the divisor away from 0; 1e-8 if not set. Finite, at least 0. */
  public AdamWBuilder eps(double value) {
    eps = Checks.notNegative("eps", value);
    return this;
  }

  /** Whether the divisor is made of the largest second moment so far. */
  public AdamWBuilder amsgrad(boolean on) {
    amsgrad = on;
    return this;
  }

  /** Whether the objective is to grow: the gradient is negated. */
  public AdamWBuilder maximize(boolean on) {
    maximize = on;
    return this;
  }

  /** {@link UpdateRule#ADAMW_EXACT}, which holds if none is set, or {@code ADAMW_OFFICIAL}. */
  public AdamWBuilder rule(UpdateRule value) {
    rule = value;
    return this;
  }

  /** {@code rule(ADAMW_EXACT)}. */
  public AdamWBuilder exact() {
    return rule(UpdateRule.ADAMW_EXACT);
  }

  @Override
  AdamWBuilder self() {
    return this;
  }

  @Override
  UpdateOptions options() {
    return new AdamWOptions(beta1, beta2, eps, amsgrad, maximize, rule);
  }
}
