package org.repopt4j.optim;

import java.util.List;
import org.repopt4j.csla.UpdateRule;

/** The hyper-parameters of an update that all groups share. */
sealed interface UpdateOptions permits SgdOptions, AdamWOptions {
  /** How a Grad Mult enters the update. */
  UpdateRule rule();

  /** The names of the tensors that a parameter has as its state after its first update. */
  List<String> buffers();

  /** Whether the number of a parameter's updates is part of its state. */
  boolean countsSteps();

  /** Carries out one update of these parameters, each of which has a gradient. */
  void update(
      UpdateEngine engine, List<ParameterState> states, double learningRate, StepExtras extras);
}
