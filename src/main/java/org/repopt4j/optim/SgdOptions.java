package org.repopt4j.optim;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.repopt4j.csla.UpdateRule;

/** The hyper-parameters of SGD, as {@code torch.optim.SGD} names them. */
record SgdOptions(double momentum, double dampening, boolean nesterov, boolean maximize)
    implements UpdateOptions {
  static final String MOMENTUM_BUFFER = "momentum_buffer";

  SgdOptions {
    Checks.notNegative("momentum", momentum);
    checkArgument(Double.isFinite(dampening), "dampening must be finite, got: %s", dampening);
    checkArgument(
        !nesterov || (momentum > 0 && dampening == 0),
        "Nesterov momentum requires a momentum > 0 and no dampening, got momentum=%s dampening=%s",
        momentum,
        dampening);
  }

  @Override
  public UpdateRule rule() {
    return UpdateRule.SGD;
  }

  @Override
  public List<String> buffers() {
    return momentum == 0 ? ImmutableList.of() : ImmutableList.of(MOMENTUM_BUFFER);
  }

  @Override
  public boolean countsSteps() {
    return false;
  }

  @Override
  public void update(
      UpdateEngine engine, List<ParameterState> states, double learningRate, StepExtras extras) {
    engine.sgd(states, learningRate, this, extras);
  }
}
