package org.repopt4j.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;
import static org.repopt4j.testkit.TensorAsserts.assertRelative;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.Golden;
import org.repopt4j.testkit.TestDevice;

class GhostModuleTest {
  /** Two modules, one after the other; the second has a 5x5 depthwise kernel and no ReLU. */
  private static final List<BlockSpec> SPECS =
      ImmutableList.of(BlockSpec.ghost("0", 8, 3), BlockSpec.ghost("1", 8, 5));

  @Tag("device")
  @ParameterizedTest
  @CsvSource({"sgd, SGD", "adamw, ADAMW_OFFICIAL"})
  void modulesRuleOfInitializationAndGradMultsAreTheOfficialOnes(String file, UpdateRule rule) {
    Golden golden = Golden.read("ghost-module-" + file + ".safetensors");
    Natives.manualSeed(Long.parseLong(golden.metadata("seed")));
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      Sequential modules = new Sequential();
      modules.append(new GhostModule(6, 8, 3, true, Mode.TARGET, 1));
      modules.append(new GhostModule(8, 8, 5, false, Mode.TARGET, 1));
      modules.to(TestDevice.get(), /* non_blocking= */ false);
      Map<String, Tensor> before = golden.tensors("before.");
      Map<String, Tensor> state = modules.stateDict();
      assertEquals(new ArrayList<>(before.keySet()), new ArrayList<>(state.keySet()));
      modules.loadStateDict(before, true);

      for (BlockSpec spec : SPECS) {
        BlockScales scales =
            BlockScales.of(
                spec.name(),
                ImmutableMap.of(
                    "fusion_scale.weight",
                    Tensors.toFloats(golden.tensor("scale." + spec.name() + ".fusion")),
                    "cheap_operation.1.weight",
                    Tensors.toFloats(golden.tensor("scale." + spec.name() + ".conv"))));
        CslaBlock block = spec.block(scales);
        Tensor weight = state.get(spec.weightName());
        weight.copy_(block.equivalentKernel(weight, spec.identityStart(scales)));
        assertBitEqual(
            spec.name(), golden.tensor("mult." + spec.weightName()), block.gradMult().dense(rule));
      }
      golden.tensors("reinit.").forEach((name, t) -> assertBitEqual(name, t, state.get(name)));
      assertRelative(
          "train_out",
          TestDevice.bound(1e-5, 1e-4),
          golden.tensor("train_out"),
          modules.forward(golden.tensor("input")));
    }
  }
}
