package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.optim.ParameterGroups;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.optim.StepExtras;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.train.RunSettings.Precision;

/** Training that computes activations again is training that keeps them, bit for bit. */
@ExtendWith(OneThread.class)
class TrainingPassTest {
  private static final int STEPS = 5;
  private static final int CLASSES = 6;

  /** Stage 3 has two runs of two blocks, so that runs end within a stage, too. */
  private static final Architecture VGG =
      Architecture.custom(
          List.of(1, 2, 4, 1), List.of(0.125, 0.0625, 0.03125, 0.015625), List.of(1, 1, 2, 2, 1));

  private static Architecture architecture(String name) {
    return name.equals("vgg") ? VGG : Architecture.named(name);
  }

  private record Run(
      List<Float> losses, Map<String, Tensor> gradients, Map<String, Tensor> state) {}

  /** Five steps of SGD, the second of two batches; gradients are those of the last step. */
  private static Run run(
      Architecture arch, Mode mode, Precision precision, boolean last, boolean recompute) {
    Natives.manualSeed(3);
    Network network = arch.build(mode, CLASSES);
    if (last) {
      network.channelsLast();
    }
    Map<String, Tensor> trained = new LinkedHashMap<>(network.namedParameters());
    trained.values().removeIf(parameter -> !parameter.requires_grad());
    RepOptimizer sgd =
        RepOptimizer.sgd(ParameterGroups.official(network.namedParameters(), 1e-4))
            .momentum(0.9)
            .nesterov(true)
            .build();
    ForwardPass forward = new ForwardPass(ComputeDevice.cpu(), precision);
    GradientStep step = new GradientStep(sgd, trained, precision, 0);
    List<Float> losses = new ArrayList<>();
    Map<String, Tensor> gradients = new LinkedHashMap<>();
    network.train(true);
    for (int n = 0; n <= STEPS; n++) {
      try (StepScope scope = StepScope.open()) {
        Tensor images =
            torch.randn(
                new long[] {4, 3, 32, 32}, Tensors.options(ScalarType.Float, Tensors.cpu()));
        Tensor labels = Tensors.of(new long[] {n, 1, 5 - n, 3}, 4);
        TrainingPass pass = TrainingPass.of(forward, network, images, recompute);
        Tensor loss = Losses.crossEntropy(pass.logits(), labels, 0.1);
        losses.add(loss.item_float());
        pass.backward(step.scaled(loss));
        if (n == 1) {
          continue; // Its gradients wait for the next batch's.
        }
        if (n == STEPS) {
          trained.forEach((name, tensor) -> gradients.put(name, scope.keep(tensor.grad().clone())));
        }
        assertTrue(step.step(0.05, StepExtras.NONE), "an overflow");
        sgd.zeroGrad();
      }
    }
    return new Run(losses, gradients, TinyTraining.state(network));
  }

  @ParameterizedTest
  @CsvSource({
    "vgg, TARGET, FP32, false",
    "vgg, TARGET, FP32, true",
    "vgg, TARGET, BF16, false",
    "vgg, TARGET, FP16, false",
    "vgg, CSLA, FP32, false",
    "vgg, HS, FP32, false",
    "vgg, HS, FP32, true",
    "vgg, MULTI_BRANCH, FP32, false",
    "vgg, MULTI_BRANCH, BF16, false",
    "RepOpt-GhostNet-0.5x, TARGET, FP32, false",
    "RepOpt-GhostNet-0.5x, HS, FP32, false",
  })
  void fiveStepsAreTheSame(String name, Mode mode, Precision precision, boolean last) {
    Architecture arch = architecture(name);
    Run keeping = run(arch, mode, precision, last, false);
    Run recomputing = run(arch, mode, precision, last, true);
    assertEquals(keeping.losses(), recomputing.losses());
    assertEquals(keeping.gradients().keySet(), recomputing.gradients().keySet());
    keeping
        .gradients()
        .forEach((key, value) -> assertBitEqual(key, value, recomputing.gradients().get(key)));
    keeping
        .state()
        .forEach((key, value) -> assertBitEqual(key, value, recomputing.state().get(key)));
    recomputing
        .state()
        .forEach(
            (key, value) -> {
              if (key.endsWith("num_batches_tracked")) {
                assertEquals(STEPS + 1, value.item_long(), key);
              }
            });
  }

  @ParameterizedTest
  @CsvSource({"vgg, 6", "RepOpt-VGG-B1, 10", "RepOpt-GhostNet-0.5x, 12"})
  void segmentsAndHeadAreTheNetwork(String name, int segments) {
    Network network = architecture(name).build(Mode.TARGET, CLASSES);
    network.eval();
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      Tensor images =
          torch.randn(new long[] {1, 3, 64, 64}, Tensors.options(ScalarType.Float, Tensors.cpu()));
      Tensor features = images;
      for (var segment : network.segments()) {
        features = segment.apply(features);
      }
      assertBitEqual("logits", network.forward(images), network.head(features));
    }
    assertEquals(segments, network.segments().size());
  }
}
