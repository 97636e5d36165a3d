package org.repopt4j.nn;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;

/** What a csla network and the target network that trains in its place have in common. */
public final class Equivalence {
  private Equivalence() {}

  /**
   * The target network that computes what a csla (or hs) network computes now: every block's
   * kernels and scales become one kernel (rule of initialization), everything else is copied. It
   * has the mode of training or evaluation and the device of the original.
   *
   * @throws IllegalArgumentException if the mode is neither csla nor hs
   */
  public static Network cslaToTarget(Network csla) {
    checkArgument(
        csla.mode().hasScales(),
        "a csla or hs network is needed, this one's mode is %s",
        csla.mode());
    Architecture architecture = csla.architecture();
    Network target;
    try (KeptRandomState random = KeptRandomState.open()) {
      target = architecture.target(csla.numClasses());
    }
    Scales scales = Scales.of(csla);
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      Map<String, Tensor> source = csla.stateDict();
      target.to(source.values().iterator().next().device(), false);
      Map<String, Tensor> state = new LinkedHashMap<>(source);
      state.keySet().retainAll(target.stateDict().keySet());
      for (BlockSpec spec : architecture.blocks()) {
        state.put(
            spec.weightName(),
            spec.block(scales.block(spec.name())).equivalentKernel(spec.kernels(source)));
      }
      target.loadStateDict(state, true);
    }
    target.train(csla.is_training());
    return target;
  }
}
