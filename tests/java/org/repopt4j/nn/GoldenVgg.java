package org.repopt4j.nn;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.Golden;
import org.repopt4j.testkit.TestDevice;

/** The small RepOpt-VGG of the golden files. */
final class GoldenVgg {
  static final Architecture TINY =
      Architecture.custom(
          ImmutableList.of(1, 2, 2, 1),
          ImmutableList.of(0.125, 0.125, 0.125, 0.125),
          ImmutableList.of(2, 2, 2, 2, 2));

  private GoldenVgg() {}

  /**
   * A network as it is right after {@code torch.manual_seed} of the file's seed, on the test's
   * device.
   */
  static Network seeded(Golden golden, Mode mode) {
    Natives.manualSeed(Long.parseLong(golden.metadata("seed")));
    Network network = TINY.build(mode, Integer.parseInt(golden.metadata("num_classes")));
    network.to(TestDevice.get(), /* non_blocking= */ false);
    return network;
  }

  /** The recorded scales under the official names. */
  static Scales scales(Golden golden) {
    List<BlockScales> blocks = new ArrayList<>();
    for (BlockSpec spec : TINY.blocks()) {
      String prefix = "scale." + blocks.size() + ".";
      Map<String, float[]> values = new LinkedHashMap<>();
      ImmutableMap.of(
              "conv", "scale_conv.weight",
              "1x1", "scale_1x1.weight",
              "identity", "scale_identity.weight")
          .forEach(
              (recorded, official) -> {
                if (golden.has(prefix + recorded)) {
                  values.put(official, Tensors.toFloats(golden.tensor(prefix + recorded)));
                }
              });
      blocks.add(BlockScales.of(spec.name(), values));
    }
    return Scales.of(TINY, blocks);
  }

  /** The recorded 1x1 kernels in the blocks' order. */
  static List<Tensor> freshPointwiseKernels(Golden golden) {
    ImmutableList.Builder<Tensor> kernels = ImmutableList.builder();
    for (int i = 0; golden.has("fresh1x1." + i); i++) {
      kernels.add(golden.tensor("fresh1x1." + i));
    }
    return kernels.build();
  }
}
