package org.repopt4j.nn;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.GradMults;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * The rule of initialization for a whole network (official {@code repoptvgg_impl.py} and {@code
 * repoptghostnet_impl.py}), equal to them bit for bit on the CPU.
 */
final class RuleOfInitialization {
  private final Network network;
  private final Scales scales;
  private final boolean useIdentityScales;
  private final List<PlacedBlock> blocks;
  private final List<BlockSpec> specs;

  RuleOfInitialization(Network network, Scales scales, boolean useIdentityScales) {
    this.network = network;
    this.scales = scales;
    this.useIdentityScales = useIdentityScales;
    this.blocks = network.cslaBlocks(scales);
    this.specs = network.architecture().blocks();
    checkFresh();
  }

  private void checkFresh() {
    try (StepScope scope = StepScope.open()) {
      network
          .namedLayers()
          .forEach(
              (name, layer) -> {
                if (layer instanceof BatchNorm2d norm) {
                  double mean = norm.weight().mean().item_float();
                  checkArgument(
                      mean == 1.0,
                      "re-initialisation is for a fresh network, but the weights of %s have the mean %s instead of 1;"
                          + " to go on with a trained one, take gradMults(scales) only",
                      name,
                      mean);
                }
              });
    }
  }

  GradMults withFreshPointwiseKernels() {
    try (StepScope scope = StepScope.open()) {
      List<Tensor> kernels = new ArrayList<>();
      for (BlockSpec spec : specs) {
        if (spec.hasPointwise()) {
          long[] shape = {spec.shape().out(), spec.shape().in(), 1, 1};
          kernels.add(UniformInitialization.weight(shape));
          // The official code makes a whole nn.Conv2d, whose unused bias is drawn too.
          UniformInitialization.bias(spec.shape().out(), shape);
        }
      }
      return withPointwiseKernels(kernels);
    }
  }

  GradMults withPointwiseKernels(List<Tensor> pointwiseKernels) {
    long needed = specs.stream().filter(BlockSpec::hasPointwise).count();
    checkArgument(
        pointwiseKernels.size() == needed,
        "%s needs %s kernels of 1x1, got %s",
        network.architecture().spec(),
        needed,
        pointwiseKernels.size());
    Iterator<Tensor> pointwise = pointwiseKernels.iterator();
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      for (int i = 0; i < blocks.size(); i++) {
        PlacedBlock placed = blocks.get(i);
        List<Tensor> kernels = new ArrayList<>();
        kernels.add(placed.weight());
        if (specs.get(i).hasPointwise()) {
          kernels.add(like(pointwise.next(), placed.weight()));
        }
        if (specs.get(i).hasIdentity()) {
          kernels.add(like(identityStart(specs.get(i)), placed.weight()));
        }
        placed.weight().copy_(placed.block().equivalentKernel(kernels));
      }
    }
    return network.gradMults(scales);
  }

  private Tensor identityStart(BlockSpec spec) {
    return useIdentityScales
        ? spec.identityStart(scales.block(spec.name()))
        : Tensors.ones(ScalarType.Float, Tensors.cpu(), spec.shape().out());
  }

  private static Tensor like(Tensor value, Tensor weight) {
    return value.to(weight.device(), weight.scalar_type());
  }
}
