package org.repopt4j.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;
import static org.repopt4j.testkit.TensorAsserts.assertRelative;

import com.google.common.collect.ImmutableList;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.Golden;
import org.repopt4j.testkit.TestDevice;

class RepOptVggTest {
  @Tag("device")
  @ParameterizedTest
  @CsvSource({"target", "csla", "hs", "repvgg"})
  void seededNetworkAndItsLogitsEqualTheOfficialOnes(String mode) {
    Golden golden = Golden.read("vgg-tiny-" + mode + "-forward.safetensors");
    try (StepScope scope = StepScope.open()) {
      Network network = GoldenVgg.seeded(golden, Mode.parse(mode));
      Map<String, Tensor> expected = golden.tensors("init.");
      assertEquals(
          ImmutableList.copyOf(expected.keySet()),
          ImmutableList.copyOf(network.stateDict().keySet()));
      expected.forEach((name, t) -> assertBitEqual(name, t, network.stateDict().get(name)));

      Tensor input = golden.tensor("input");
      double bound = TestDevice.bound(1e-5, 1e-4);
      assertRelative(
          "train", bound, golden.tensor("train_logits"), network.forward(input).detach());
      network.eval();
      assertRelative("eval", bound, golden.tensor("eval_logits"), network.forward(input).detach());
      network.close();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"TARGET", "CSLA", "HS", "MULTI_BRANCH"})
  void postSeAndOtherStridesGiveTheOfficialLogits(Mode mode) {
    OfficialForward.check(
        "custom:blocks=1,2,2,1;width=0.125,0.125,0.125,0.125;strides=1,1,2,2,2;se=true",
        mode == Mode.MULTI_BRANCH ? "repvgg" : mode.toString(),
        /* compareTraining= */ true);
  }

  @Tag("device")
  @Test
  void gradientsOfTheFirstStepAreTheOfficialOnes() {
    Golden golden = Golden.read("vgg-tiny-sgd-idscale-train.safetensors");
    try (StepScope scope = StepScope.open()) {
      Network network = GoldenVgg.seeded(golden, Mode.TARGET);
      network.loadStateDict(golden.tensors("reinit."), true);
      Tensor logits = network.forward(golden.tensor("inputs").select(0, 0));
      torch.cross_entropy_loss(logits, golden.tensor("targets").select(0, 0)).backward();
      Map<String, Tensor> parameters = network.namedParameters();
      Map<String, Tensor> expected = golden.tensors("grad0.");
      assertEquals(parameters.keySet(), expected.keySet());
      expected.forEach(
          (name, t) ->
              assertRelative(name, TestDevice.bound(1e-4, 1e-3), t, parameters.get(name).grad()));
    }
  }

  @Test
  void onlyTheScalesOfConvolutionsAreConstantInCsla() {
    Network csla = GoldenVgg.TINY.csla(10);
    csla.namedParameters()
        .forEach(
            (name, tensor) ->
                assertEquals(
                    !name.endsWith("scale_conv.weight") && !name.endsWith("scale_1x1.weight"),
                    tensor.requires_grad(),
                    name));
    GoldenVgg.TINY
        .hs(10)
        .namedParameters()
        .forEach((name, tensor) -> assertTrue(tensor.requires_grad(), name));
  }

  @Test
  void everyTrainableParameterGetsAGradient() {
    for (Mode mode : Mode.values()) {
      try (StepScope scope = StepScope.open()) {
        Network network = GoldenVgg.TINY.withPostSe().build(mode, 10);
        network.forward(OfficialForward.images(2, 64)).sum().backward();
        network
            .namedParameters()
            .forEach(
                (name, t) ->
                    assertEquals(t.requires_grad(), t.grad().defined(), mode + " " + name));
      }
    }
  }

  @Test
  void imagesOfAnotherShapeAreRefused() {
    Network network = GoldenVgg.TINY.target(10);
    Tensor grey = Tensors.zeros(ScalarType.Float, Tensors.cpu(), 2, 1, 32, 32);
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> network.forward(grey));
    assertEquals(
        "images must have the shape [n, 3, h, w], got: [2, 1, 32, 32]", refused.getMessage());
  }
}
