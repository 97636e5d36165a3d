package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.repopt4j.testkit.TensorAsserts.assertRelative;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WinogradConvolutionTest {
  private static final long[] ONE = {1, 1};
  private StepScope scope;

  @BeforeEach
  void open() {
    Natives.manualSeed(3);
    assumeTrue(ConvolutionKernels.available(), "there are no compiled kernels here");
    scope = StepScope.open();
  }

  @AfterEach
  void close() {
    if (scope != null) {
      scope.close();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 3, 5, 4, 4",
    "3, 17, 33, 5, 7",
    "2, 40, 20, 1, 1",
    "2, 32, 24, 2, 9",
    "5, 70, 64, 8, 8",
    "2, 13, 40, 16, 16",
    "1, 34, 12, 32, 32",
    "3, 5, 7, 14, 28",
    "1, 6, 25, 3, 71"
  })
  void outputsAndGradientsAreThoseOfLibtorchInFloat64(int n, int in, int out, int h, int w) {
    Tensor input = random(n, in, h, w);
    Tensor weight = random(out, in, 3, 3);
    Tensor exactInput = leaf(input.to(ScalarType.Double));
    Tensor exactWeight = leaf(weight.to(ScalarType.Double));
    Tensor exact = torch.conv2d(exactInput, exactWeight, Tensors.optional(null), ONE, ONE, ONE, 1);
    Tensor factors = random(n, out, h, w);
    exact.mul(factors.to(ScalarType.Double)).sum().backward();

    Tensor ours = new WinogradConvolution().forward(leaf(input), leaf(weight));
    ours.mul(factors).sum().backward();

    assertRelative("outputs", 1e-6, exact, ours);
    assertRelative("gradient of the inputs", 1e-6, exactInput.grad(), input.grad());
    assertRelative("gradient of the weights", 1e-6, exactWeight.grad(), weight.grad());
  }

  @Test
  void aLayerThatIsUsedTwiceBeforeTheBackwardPassGetsTheGradientsOfBothUses() {
    Tensor weight = leaf(random(16, 16, 3, 3));
    Tensor input = random(2, 16, 6, 6);
    WinogradConvolution layer = new WinogradConvolution();
    layer.forward(layer.forward(input, weight), weight).square().sum().backward();

    Tensor exactWeight = leaf(weight.detach().to(ScalarType.Double));
    Tensor exact = input.to(ScalarType.Double);
    for (int i = 0; i < 2; i++) {
      exact = torch.conv2d(exact, exactWeight, Tensors.optional(null), ONE, ONE, ONE, 1);
    }
    exact.square().sum().backward();
    assertRelative("gradient of the weights", 2e-6, exactWeight.grad(), weight.grad());
  }

  @Test
  void theGradientSurvivesAGarbageCollectionBeforeTheBackwardPass() {
    Tensor weight = leaf(random(16, 16, 3, 3));
    Tensor loss = new WinogradConvolution().forward(random(1, 16, 4, 4), weight).sum();
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    loss.backward();
    assertTrue(weight.grad().defined());
    assertTrue(weight.grad().abs().sum().item_double() > 0);
  }

  @Test
  void theResultDoesNotDependOnTheNumberOfThreads() {
    Tensor input = random(3, 20, 7, 5);
    Tensor weight = random(28, 20, 3, 3);
    Tensor gradient = random(3, 28, 7, 5);
    int before = Natives.threads();
    float[][] results = new float[2][];
    try {
      for (int i = 0; i < 2; i++) {
        Natives.threads(1 + 2 * i);
        Tensor output = Tensors.empty(ScalarType.Float, Tensors.cpu(), 3, 28, 7, 5);
        ConvolutionKernels.convolve(input, weight, output);
        Tensor weights = ConvolutionKernels.weightGradient(input, gradient, weight);
        Tensor inputs = ConvolutionKernels.inputGradient(gradient, weight);
        results[i] =
            Tensors.toFloats(
                torch.cat(
                    new org.bytedeco.pytorch.TensorVector(
                        output.flatten(), weights.flatten(), inputs.flatten())));
      }
    } finally {
      Natives.threads(before);
    }
    assertArrayEquals(results[0], results[1]);
  }

  @Test
  void gradientsAddUpOverSeveralBackwardPasses() {
    Tensor weight = leaf(random(16, 16, 3, 3));
    Tensor input = random(1, 16, 4, 4);
    WinogradConvolution layer = new WinogradConvolution();
    layer.forward(input, weight).sum().backward();
    double[] once = Tensors.toDoubles(weight.grad());
    layer.forward(input, weight).sum().backward();
    double[] twice = Tensors.toDoubles(weight.grad());
    for (int i = 0; i < once.length; i++) {
      assertEquals(2 * once[i], twice[i]);
    }
  }

  @Test
  void refusesAnInputThatWasChangedInPlace() {
    Tensor weight = leaf(random(16, 16, 3, 3));
    Tensor input = random(1, 16, 4, 4);
    Tensor loss = new WinogradConvolution().forward(input, weight).sum();
    input.zero_();
    RuntimeException thrown = assertThrows(RuntimeException.class, loss::backward);
    assertTrue(thrown.getMessage().contains("changed in place"), thrown.getMessage());
  }

  @Test
  void refusesAGradientAfterTheEndOfTheScope() {
    Tensor weight = leaf(random(16, 16, 3, 3));
    WinogradConvolution layer = new WinogradConvolution();
    Tensor loss = outOfItsScope(layer, weight);
    RuntimeException thrown = assertThrows(RuntimeException.class, loss::backward);
    assertTrue(thrown.getMessage().contains("after the end of the StepScope"), thrown.getMessage());
  }

  @Test
  void leavesOtherTypesAndSmallLayersToLibtorch() {
    Tensor weight = leaf(random(256, 256, 3, 3));
    Tensor input = random(1, 256, 2, 2);
    assertTrue(WinogradConvolution.applies(input, weight));
    assertFalse(WinogradConvolution.applies(input.to(ScalarType.Double), weight));
    assertFalse(WinogradConvolution.applies(input, random(256, 256, 3, 3)));
    assertFalse(WinogradConvolution.applies(random(1, 8, 2, 2), leaf(random(8, 8, 3, 3))));
    try (NoGrad noGrad = NoGrad.open()) {
      assertFalse(WinogradConvolution.applies(input, weight));
    }
    try (Autocast bf16 = Autocast.bf16(ComputeDevice.cpu())) {
      assertFalse(WinogradConvolution.applies(input, weight));
    }
  }

  private static Tensor outOfItsScope(WinogradConvolution layer, Tensor weight) {
    try (StepScope inner = StepScope.open()) {
      return inner.keep(layer.forward(random(1, 16, 4, 4), weight).sum());
    }
  }

  private static Tensor random(long... shape) {
    return torch.randn(shape);
  }

  private static Tensor leaf(Tensor tensor) {
    tensor.set_requires_grad(true);
    return tensor;
  }
}
