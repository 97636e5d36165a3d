package org.repopt4j.train;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.nn.Network;
import org.repopt4j.optim.ParameterGroup;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.optim.StepExtras;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;

/**
 * The exponential moving average of a network's state, buffers included: {@code ema ← decay·ema +
 * (1 − decay)·state} after each step (official {@code utils.py}, {@code update_model_ema_v2}, whose
 * alpha is {@code 1 − decay}).
 */
final class ModelEma {
  private final Network average;
  private final double decay;
  private StepExtras inStep;
  private Set<String> names = Set.of();

  /**
   * An average that begins at the network's state.
   *
   * @param average a network of the same shape, whose state is overwritten
   */
  ModelEma(Network network, Network average, double decay) {
    this.average = average;
    this.decay = decay;
    average.loadStateDict(network.stateDict(), /* strict= */ true);
  }

  /** Lets an optimizer's step take in the parameters that it changes, in the same pass. */
  StepExtras inStepOf(RepOptimizer optimizer) {
    if (inStep == null) {
      Map<String, Tensor> to = average.stateDict();
      Map<String, Tensor> stepped = new LinkedHashMap<>();
      for (ParameterGroup group : optimizer.groups().groups()) {
        group.parameters().keySet().forEach(name -> stepped.put(name, to.get(name)));
      }
      inStep = StepExtras.NONE.averaging(stepped, decay);
      names = stepped.keySet();
    }
    return inStep;
  }

  /** Takes in what no step did: the network's buffers and constants. */
  void update(Network network) {
    Map<String, Tensor> to = average.stateDict();
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open();
        Scalar weight = new Scalar(1 - decay)) {
      for (Map.Entry<String, Tensor> entry : network.stateDict().entrySet()) {
        if (names.contains(entry.getKey())) {
          continue;
        }
        Tensor target = to.get(entry.getKey());
        if (target.is_floating_point()) {
          target.lerp_(entry.getValue(), weight);
        } else {
          target.copy_(entry.getValue());
        }
      }
    }
  }

  /** The network that holds the average. */
  Network network() {
    return average;
  }
}
