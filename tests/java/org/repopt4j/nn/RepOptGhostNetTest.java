package org.repopt4j.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.testkit.TensorAsserts;

class RepOptGhostNetTest {
  private static final Architecture HALF = Architecture.named("RepOpt-GhostNet-0.5x");

  @ParameterizedTest
  @CsvSource({"target", "csla", "hs", "rep"})
  void seededNetworkGivesTheOfficialLogits(String mode) {
    // In training dropout stands before the classifier, so only evaluation can be compared.
    OfficialForward.check("RepOpt-GhostNet-0.5x", mode, /* compareTraining= */ false);
  }

  @Test
  void dropoutActsInTrainingOnly() {
    try (StepScope scope = StepScope.open()) {
      Network network = HALF.target(10);
      Tensor images = OfficialForward.images(2, 32);
      assertTrue(
          TensorAsserts.relative(network.forward(images), network.forward(images)) > 1e-3,
          "two passes in training must differ");
      network.eval();
      assertEquals(0, TensorAsserts.relative(network.forward(images), network.forward(images)));
    }
  }

  @Test
  void everyTrainableParameterGetsAGradient() {
    for (Mode mode : new Mode[] {Mode.CSLA, Mode.MULTI_BRANCH}) {
      try (StepScope scope = StepScope.open()) {
        Network network = HALF.build(mode, 10);
        network.forward(OfficialForward.images(2, 32)).sum().backward();
        network
            .namedParameters()
            .forEach(
                (name, t) ->
                    assertEquals(t.requires_grad(), t.grad().defined(), mode + " " + name));
        network.close();
      }
    }
  }
}
