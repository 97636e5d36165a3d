package org.repopt4j.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import com.google.common.collect.ImmutableList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.Golden;

class NetworkTest {
  @Tag("device")
  @ParameterizedTest
  @CsvSource({
    "vgg-tiny-sgd-idscale-train, SGD",
    "vgg-tiny-sgd-noidscale-train, SGD",
    "vgg-tiny-adamw-idscale-train, ADAMW_OFFICIAL"
  })
  void reinitialisedKernelsAndGradMultsAreTheOfficialOnes(String file, UpdateRule rule) {
    Golden golden = Golden.read(file + ".safetensors");
    try (StepScope scope = StepScope.open()) {
      Network network = GoldenVgg.seeded(golden, Mode.TARGET);
      network.loadStateDict(golden.tensors("before."), true);

      GradMults mults =
          network.reinitialize(
              GoldenVgg.scales(golden),
              Boolean.parseBoolean(golden.metadata("use_identity_scales")),
              GoldenVgg.freshPointwiseKernels(golden));

      Map<String, Tensor> state = network.stateDict();
      golden.tensors("reinit.").forEach((name, t) -> assertBitEqual(name, t, state.get(name)));
      Map<String, Tensor> expected = golden.tensors("mult.");
      assertEquals(expected.size(), mults.size());
      expected.forEach(
          (name, t) ->
              assertBitEqual(name, t, mults.of(state.get(name)).orElseThrow().dense(rule)));
    }
  }

  @Test
  void gradMultsAloneTouchNoWeight() {
    Golden golden = Golden.read("vgg-tiny-sgd-idscale-train.safetensors");
    try (StepScope scope = StepScope.open()) {
      Network network = GoldenVgg.seeded(golden, Mode.TARGET);
      network.loadStateDict(golden.tensors("before."), true);
      GradMults mults = network.gradMults(GoldenVgg.scales(golden));
      golden
          .tensors("before.")
          .forEach((name, t) -> assertBitEqual(name, t, network.stateDict().get(name)));
      golden
          .tensors("mult.")
          .forEach(
              (name, t) ->
                  assertBitEqual(
                      name,
                      t,
                      mults.of(network.stateDict().get(name)).orElseThrow().dense(UpdateRule.SGD)));
    }
  }

  @Test
  void aTrainedNetworkIsNotReinitialised() {
    Network network = GoldenVgg.TINY.target(10);
    try (NoGrad noGrad = NoGrad.open()) {
      network.stateDict().get("stage2.1.bn.weight").mul_(new Scalar(1.25));
    }
    float[] before = Tensors.toFloats(network.stateDict().get("stage0.conv.weight"));
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> network.reinitialize(someScales()));
    assertTrue(
        refused.getMessage().contains("stage2.1.bn") && refused.getMessage().contains("1.25"),
        refused.getMessage());
    assertArrayEquals(before, Tensors.toFloats(network.stateDict().get("stage0.conv.weight")));
  }

  @Test
  void onlyATargetNetworkHasBlocksToReplace() {
    Network hs = GoldenVgg.TINY.hs(10);
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> hs.gradMults(someScales()));
    assertEquals(
        "RepOptimizers train the target network; this one's mode is hs", refused.getMessage());
  }

  @Test
  void scalesOfAnotherArchitectureAreRefused() {
    Network wide =
        Architecture.parse("custom:blocks=1,2,2,1;width=0.125,0.25,0.125,0.125").target(10);
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> wide.reinitialize(someScales()));
    assertTrue(
        refused
            .getMessage()
            .contains("block stage2.0 needs 32 values of scale_conv.weight, got 16"),
        refused.getMessage());
  }

  @Test
  void cslaNetworkTakesScalesAndGivesThemBack() {
    Scales scales = someScales();
    Network csla = GoldenVgg.TINY.csla(10);
    csla.setScales(scales);
    assertEquals(scales, Scales.of(csla));

    csla.setScales(scales, /* useIdentityScales= */ false);
    float[] identity = Tensors.toFloats(csla.stateDict().get("stage2.1.scale_identity.weight"));
    for (float value : identity) {
      assertEquals(1f, value);
    }
    assertEquals(
        scales.block("stage2.1").values("scale_conv.weight")[3],
        Tensors.toFloats(csla.stateDict().get("stage2.1.scale_conv.weight"))[3]);
    assertThrows(IllegalArgumentException.class, () -> GoldenVgg.TINY.target(10).setScales(scales));
  }

  @Test
  void ghostNetworkIsReinitialisedWithoutFreshKernels() {
    Architecture half = Architecture.named("RepOpt-GhostNet-0.5x");
    try (StepScope scope = StepScope.open()) {
      Scales scales = Scales.of(half.hs(10));
      Network network = half.target(10);
      GradMults mults = network.reinitialize(scales, true, ImmutableList.of());
      assertEquals(32, mults.size());
      assertThrows(
          IllegalArgumentException.class,
          () -> network.reinitialize(scales, true, List.of(Tensors.of(new float[1], 1, 1, 1, 1))));
      network.close();
    }
  }

  /** Scales that differ from block to block, some of them negative. */
  static Scales someScales() {
    ImmutableList.Builder<BlockScales> blocks = ImmutableList.builder();
    for (BlockSpec spec : GoldenVgg.TINY.blocks()) {
      Map<String, float[]> values = new HashMap<>();
      for (String name : spec.scaleNames()) {
        float[] floats = new float[spec.shape().out()];
        for (int i = 0; i < floats.length; i++) {
          floats[i] = (float) Math.sin(i + 3.0 * name.length() + spec.name().hashCode());
        }
        values.put(name, floats);
      }
      blocks.add(BlockScales.of(spec.name(), values));
    }
    return Scales.of(GoldenVgg.TINY, blocks.build());
  }
}
