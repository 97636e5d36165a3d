package org.repopt4j.optim;

import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * SGD as in the official {@code repoptimizer_sgd.py}. With the gradient g, the Grad Mult M (1 for a
 * parameter without one), the weight decay λ and the rate γ:
 *
 * <pre>
 * d = M·g + λ·p
 * b = d at the first step, then μ·b + (1 - dampening)·d
 * p = p - γ·(nesterov ? d + μ·b : b)
 * </pre>
 */
public final class SgdBuilder extends RepOptimizerBuilder<SgdBuilder> {
  private double momentum;
  private double dampening;
  private boolean nesterov;
  private boolean maximize;

  SgdBuilder(ParameterGroups groups) {
    super(groups);
  }

  SgdBuilder(Map<String, Tensor> named) {
    super(named, /* weightDecay= */ 0);
  }

  /** μ; 0, no momentum, if not set. At least 0. */
  public SgdBuilder momentum(double value) {
    momentum = Checks.notNegative("momentum", value);
    return this;
  }

  /** How much less than whole a new gradient enters the momentum buffer; 0 if not set. */
  public SgdBuilder dampening(double value) {
    dampening = value;
    return this;
  }

  /** Whether the momentum is Nesterov's, which needs a momentum and no dampening. */
  public SgdBuilder nesterov(boolean on) {
    nesterov = on;
    return this;
  }

  /** Whether the objective is to grow: the gradient is negated. */
  public SgdBuilder maximize(boolean on) {
    maximize = on;
    return this;
  }

  @Override
  SgdBuilder self() {
    return this;
  }

  @Override
  UpdateOptions options() {
    return new SgdOptions(momentum, dampening, nesterov, maximize);
  }
}
