package org.repopt4j.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;
import static org.repopt4j.testkit.TensorAsserts.assertRelative;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;

class EquivalenceTest {
  @Test
  void targetComputesWhatTheCslaNetworkComputes() {
    for (Architecture architecture :
        List.of(GoldenVgg.TINY.withPostSe(), Architecture.named("RepOpt-GhostNet-0.5x"))) {
      try (StepScope scope = StepScope.open();
          NoGrad noGrad = NoGrad.open()) {
        Network hs = architecture.hs(10);
        hs.forward(OfficialForward.images(2, 32));
        Network target = Equivalence.cslaToTarget(hs);
        assertEquals(Mode.TARGET, target.mode());
        hs.eval();
        target.eval();
        Tensor images = OfficialForward.images(3, 32);
        assertRelative(architecture.spec(), 1e-5, hs.forward(images), target.forward(images));
      }
    }
  }

  @Test
  void reinitialisedTargetEqualsTheCslaNetworkWithTheSameKernels() {
    Scales scales = NetworkTest.someScales();
    try (StepScope scope = StepScope.open()) {
      Natives.manualSeed(11);
      Network csla = GoldenVgg.TINY.csla(10);
      csla.setScales(scales);
      Map<String, Tensor> branches = csla.stateDict();
      Network target = GoldenVgg.TINY.target(10);
      target.loadStateDict(branches, false);
      ImmutableList.Builder<Tensor> pointwise = ImmutableList.builder();
      for (BlockSpec spec : GoldenVgg.TINY.blocks()) {
        pointwise.add(branches.get(spec.name() + ".conv_1x1.weight"));
      }
      target.reinitialize(scales, true, pointwise.build());

      csla.eval();
      Network equivalent = Equivalence.cslaToTarget(csla);
      assertFalse(equivalent.is_training());
      equivalent
          .stateDict()
          .forEach((name, t) -> assertBitEqual(name, target.stateDict().get(name), t));
    }
  }

  @Test
  void aTargetNetworkHasNoScalesToFold() {
    Network target = GoldenVgg.TINY.target(10);
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> Equivalence.cslaToTarget(target));
    assertEquals("a csla or hs network is needed, this one's mode is target", refused.getMessage());
  }
}
