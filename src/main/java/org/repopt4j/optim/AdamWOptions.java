package org.repopt4j.optim;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.repopt4j.csla.UpdateRule;

/** The hyper-parameters of AdamW, as {@code torch.optim.AdamW} names them, and its rule. */
record AdamWOptions(
    double beta1, double beta2, double eps, boolean amsgrad, boolean maximize, UpdateRule rule)
    implements UpdateOptions {
  static final String EXP_AVG = "exp_avg";
  static final String EXP_AVG_SQ = "exp_avg_sq";
  static final String MAX_EXP_AVG_SQ = "max_exp_avg_sq";

  AdamWOptions {
    Checks.belowOne("beta1", beta1);
    Checks.belowOne("beta2", beta2);
    Checks.notNegative("eps", eps);
    checkArgument(
        rule == UpdateRule.ADAMW_EXACT || rule == UpdateRule.ADAMW_OFFICIAL,
        "AdamW's rule must be ADAMW_EXACT or ADAMW_OFFICIAL, got: %s",
        rule);
  }

  /** {@code 1 - β1^t}. */
  double biasCorrection1(long step) {
    return 1 - Math.pow(beta1, (double) step);
  }

  /** {@code 1 - β2^t}. */
  double biasCorrection2(long step) {
    return 1 - Math.pow(beta2, (double) step);
  }

  @Override
  public List<String> buffers() {
    return amsgrad
        ? ImmutableList.of(EXP_AVG, EXP_AVG_SQ, MAX_EXP_AVG_SQ)
        : ImmutableList.of(EXP_AVG, EXP_AVG_SQ);
  }

  @Override
  public boolean countsSteps() {
    return true;
  }

  @Override
  public void update(
      UpdateEngine engine, List<ParameterState> states, double learningRate, StepExtras extras) {
    engine.adamW(states, learningRate, this, extras);
  }
}
