package org.repopt4j.optim;

import java.util.List;

/**
 * What carries out the update of parameters that all have a gradient. Every engine computes what
 * {@link ReferenceUpdate} states; none of them changes a gradient unless the extras ask for it. It
 * is called without autograd, inside a scope that frees what it leaves.
 */
interface UpdateEngine {
  /** One step of SGD at this rate, each group's own scale still to be applied. */
  void sgd(List<ParameterState> states, double learningRate, SgdOptions options, StepExtras extras);

  /** One step of AdamW at this rate, each group's own scale still to be applied. */
  void adamW(
      List<ParameterState> states, double learningRate, AdamWOptions options, StepExtras extras);
}
