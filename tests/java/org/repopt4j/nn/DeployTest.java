package org.repopt4j.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertRelative;

import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

class DeployTest {
  static Stream<Arguments> networks() {
    return Stream.of(
            "custom:blocks=1,2,2,1;width=0.25,0.125,0.125,0.125;strides=1,2,1,2,2;se=true",
            "RepOpt-GhostNet-0.5x")
        .flatMap(spec -> Stream.of(Mode.values()).map(mode -> Arguments.of(spec, mode)));
  }

  @ParameterizedTest
  @MethodSource("networks")
  void foldedNetworkComputesTheSameInEvaluation(String spec, Mode mode) {
    long seed = 20220530;
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      Natives.manualSeed(seed);
      Network network = Architecture.parse(spec).build(mode, 7);
      randomise(network, new Random(seed));
      Network deployed = Deploy.fold(network);
      assertEquals(Mode.DEPLOY, deployed.mode());
      assertFalse(deployed.is_training());
      assertTrue(network.is_training());
      assertEquals(network.architecture().parameters(Mode.DEPLOY, 7), deployed.parameterCount());

      network.eval();
      Tensor images = OfficialForward.images(2, 48);
      assertRelative("logits", 1e-5, network.forward(images), deployed.forward(images));
      network.close();
      deployed.close();
    }
  }

  /** Statistics, factors and scales far from their initial values. */
  private static void randomise(Network network, Random random) {
    network
        .namedLayers()
        .values()
        .forEach(
            layer -> {
              if (layer instanceof BatchNorm2d norm) {
                fill(norm.weight(), random, 0.5, 1.5);
                fill(norm.bias(), random, -0.5, 0.5);
                fill(norm.runningMean(), random, -0.5, 0.5);
                fill(norm.runningVar(), random, 0.2, 2);
              } else if (layer instanceof ScaleLayer scale) {
                fill(scale.weight(), random, -1, 2);
              }
            });
  }

  private static void fill(Tensor tensor, Random random, double from, double to) {
    float[] values = new float[(int) tensor.numel()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (from + (to - from) * random.nextDouble());
    }
    tensor.copy_(Tensors.of(values, values.length));
  }

  @Test
  void deployedBlocksAreOneConvolutionWithBias() {
    Set<String> names = Deploy.fold(GoldenVgg.TINY.multiBranch(10)).stateDict().keySet();
    assertTrue(names.contains("stage1.0.conv.weight") && names.contains("stage1.0.conv.bias"));
    assertEquals(2 * 7 + 2, names.size());
  }

  @Test
  void foldingDoesNotChangeWhatIsDrawnNext() {
    Network network = GoldenVgg.TINY.target(10);
    Natives.manualSeed(3);
    float[] expected = Tensors.toFloats(torch.rand(new long[] {4}));
    Natives.manualSeed(3);
    Deploy.fold(network);
    assertEquals(expected[0], Tensors.toFloats(torch.rand(new long[] {4}))[0]);
  }
}
