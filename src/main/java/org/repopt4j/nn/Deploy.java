package org.repopt4j.nn;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * The folding of a trained network into plain convolutions with bias, for inference. Kernels are
 * computed in float64 and rounded once.
 *
 * <p>A block's convolution is {@code stage1.0.conv.weight} and {@code .bias} there; in
 * RepOpt-GhostNet each convolution keeps its name and gains a bias.
 */
public final class Deploy {
  private Deploy() {}

  /**
   * A network of {@link Mode#DEPLOY} that computes what this one computes in evaluation: branches,
   * scales and BNs are folded. It is in evaluation mode on the device of the original, which stays
   * as it is.
   *
   * @param network of any mode; a deployed one is copied
   */
  public static Network fold(Network network) {
    Network deployed;
    try (KeptRandomState random = KeptRandomState.open()) {
      deployed = network.architecture().build(Mode.DEPLOY, network.numClasses());
    }
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      Map<String, Tensor> source = network.stateDict();
      List<LinearAddition> from = network.linearAdditions().collect(toImmutableList());
      List<LinearAddition> into = deployed.linearAdditions().collect(toImmutableList());
      for (int i = 0; i < into.size(); i++) {
        FoldedConv folded = from.get(i).fold();
        Conv2d conv = into.get(i).onlyConv();
        conv.weight().copy_(folded.kernel());
        conv.bias().orElseThrow().copy_(folded.bias());
      }
      copyRest(source, deployed, into);
      deployed.to(source.values().iterator().next().device(), false);
    }
    deployed.eval();
    return deployed;
  }

  private static void copyRest(
      Map<String, Tensor> source, Network deployed, List<LinearAddition> folded) {
    Set<Long> done =
        folded.stream()
            .flatMap(one -> one.onlyConv().stateDict().values().stream())
            .map(Tensors::identity)
            .collect(ImmutableSet.toImmutableSet());
    Map<String, Tensor> rest = new LinkedHashMap<>(deployed.stateDict());
    rest.values().removeIf(tensor -> done.contains(Tensors.identity(tensor)));
    rest.forEach((name, tensor) -> tensor.copy_(source.get(name)));
  }
}
