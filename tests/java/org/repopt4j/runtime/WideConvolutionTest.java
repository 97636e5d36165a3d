package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.repopt4j.testkit.TensorAsserts.assertRelative;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WideConvolutionTest {
  private static final long[] ONE = {1, 1};
  private static final double ROUNDING = 1 / 256.;
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
    "1, 1, 3, 5, 4, 4",
    "1, 3, 17, 33, 5, 7",
    "1, 2, 40, 20, 1, 1",
    "1, 33, 70, 37, 2, 2",
    "1, 3, 130, 20, 2, 1",
    "1, 40, 64, 41, 1, 2",
    "1, 2, 32, 24, 2, 9",
    "1, 5, 70, 64, 8, 8",
    "1, 2, 13, 40, 16, 16",
    "1, 1, 34, 12, 32, 32",
    "1, 3, 5, 7, 14, 28",
    "1, 1, 6, 25, 3, 71",
    "2, 1, 3, 5, 4, 4",
    "2, 3, 17, 33, 5, 7",
    "2, 2, 40, 20, 1, 1",
    "2, 2, 1, 1, 2, 9",
    "2, 8, 70, 64, 8, 8",
    "2, 9, 60, 25, 17, 16",
    "2, 1, 5, 530, 3, 6",
    "2, 2, 3, 4, 41, 39"
  })
  void outputsAndGradientsAreThoseOfLibtorchInFloat64(
      int stride, int n, int in, int out, int h, int w) {
    long[] strides = {stride, stride};
    Tensor input = random(n, in, h, w);
    Tensor weight = random(out, in, 3, 3);
    Tensor exactInput = leaf(input.to(ScalarType.Double));
    Tensor exactWeight = leaf(weight.to(ScalarType.Double));
    Tensor exact =
        torch.conv2d(exactInput, exactWeight, Tensors.optional(null), strides, ONE, ONE, 1);
    Tensor factors = random(Tensors.shape(exact));
    exact.mul(factors.to(ScalarType.Double)).sum().backward();

    Tensor ours = new WideConvolution(stride).forward(leaf(input), leaf(weight));
    ours.mul(factors).sum().backward();

    assertRelative("outputs", 1e-6, exact, ours);
    assertRelative("gradient of the inputs", 1e-6, exactInput.grad(), input.grad());
    assertRelative("gradient of the weights", 1e-6, exactWeight.grad(), weight.grad());
  }

  @ParameterizedTest
  @CsvSource({
    "1, 3, 17, 33, 8, 8",
    "1, 2, 9, 20, 5, 7",
    "1, 4, 6, 5, 1, 1",
    "2, 2, 40, 12, 8, 16",
    "2, 3, 7, 10, 5, 3",
    "2, 2, 5, 6, 1, 2"
  })
  void underAutocastAllIsThatOfRoundedFactorsRoundedOnce(
      int stride, int n, int in, int out, int h, int w) {
    long[] strides = {stride, stride};
    Tensor input = random(n, in, h, w);
    Tensor weight = random(out, in, 3, 3);
    Tensor exactInput = leaf(rounded(input));
    Tensor exactWeight = leaf(rounded(weight));
    Tensor exact =
        torch.conv2d(exactInput, exactWeight, Tensors.optional(null), strides, ONE, ONE, 1);
    Tensor factors = random(Tensors.shape(exact)).to(ScalarType.BFloat16);
    exact.mul(factors.to(ScalarType.Double)).sum().backward();

    Tensor ours;
    try (Autocast bf16 = Autocast.bf16(ComputeDevice.cpu())) {
      ours = new WideConvolution(stride).forward(leaf(input), leaf(weight));
    }
    ours.mul(factors).sum().backward();

    // One rounding to 8 bits is an error of 2^-8 at most.
    assertRelative("outputs", ROUNDING, exact, ours.to(ScalarType.Float));
    assertRelative("gradient of the inputs", ROUNDING, exactInput.grad(), input.grad());
    assertRelative("gradient of the weights", ROUNDING, exactWeight.grad(), weight.grad());
    assertEquals(ScalarType.Float, Tensors.type(weight.grad()));
  }

  @Test
  void aLayerThatIsUsedTwiceBeforeTheBackwardPassGetsTheGradientsOfBothUses() {
    Tensor weight = leaf(random(16, 16, 3, 3));
    Tensor input = random(2, 16, 6, 6);
    WideConvolution layer = new WideConvolution(1);
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
    Tensor loss = new WideConvolution(1).forward(random(1, 16, 4, 4), weight).sum();
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    loss.backward();
    assertTrue(weight.grad().defined());
    assertTrue(weight.grad().abs().sum().item_double() > 0);
  }

  @ParameterizedTest
  @CsvSource({"1, 7, 5", "1, 2, 2", "2, 7, 5"})
  void theResultDoesNotDependOnTheNumberOfThreads(int stride, int h, int w) {
    Tensor input = random(3, 20, h, w);
    Tensor weight = random(28, 20, 3, 3);
    Tensor gradient = random(3, 28, (h - 1) / stride + 1, (w - 1) / stride + 1);
    int before = Natives.threads();
    float[][] results = new float[2][];
    try {
      for (int i = 0; i < 2; i++) {
        Natives.threads(1 + 2 * i);
        Tensor output = Tensors.empty(ScalarType.Float, Tensors.cpu(), Tensors.shape(gradient));
        ConvolutionKernels.convolve(input, weight, output, stride);
        Tensor weights = ConvolutionKernels.weightGradient(input, gradient, weight, stride);
        Tensor inputs = ConvolutionKernels.inputGradient(gradient, weight, input, stride);
        results[i] =
            Tensors.toFloats(
                torch.cat(new TensorVector(output.flatten(), weights.flatten(), inputs.flatten())));
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
    WideConvolution layer = new WideConvolution(1);
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
    Tensor loss = new WideConvolution(1).forward(input, weight).sum();
    input.zero_();
    RuntimeException thrown = assertThrows(RuntimeException.class, loss::backward);
    assertTrue(thrown.getMessage().contains("changed in place"), thrown.getMessage());
  }

  @Test
  void refusesAGradientAfterTheEndOfTheScope() {
    Tensor weight = leaf(random(16, 16, 3, 3));
    WideConvolution layer = new WideConvolution(1);
    Tensor loss = outOfItsScope(layer, weight);
    RuntimeException thrown = assertThrows(RuntimeException.class, loss::backward);
    assertTrue(thrown.getMessage().contains("after the end of the StepScope"), thrown.getMessage());
  }

  @Test
  void leavesOtherTypesAndSmallLayersToLibtorch() {
    WideConvolution layer = new WideConvolution(1);
    Tensor weight = leaf(random(256, 256, 3, 3));
    Tensor input = random(1, 256, 2, 2);
    assertTrue(layer.applies(input, weight));
    assertFalse(new WideConvolution(2).applies(input, weight));
    assertFalse(layer.applies(input.to(ScalarType.Double), weight));
    assertFalse(layer.applies(input, random(256, 256, 3, 3)));
    assertFalse(layer.applies(random(1, 8, 2, 2), leaf(random(8, 8, 3, 3))));
    try (NoGrad noGrad = NoGrad.open()) {
      assertFalse(layer.applies(input, weight));
    }
    Tensor wide = leaf(random(512, 256, 3, 3));
    try (Autocast bf16 = Autocast.bf16(ComputeDevice.cpu())) {
      assertFalse(layer.applies(input, weight));
      assertFalse(layer.applies(random(1, 256, 2, 9), wide));
      assertEquals(ConvolutionKernels.multipliesTiles(), layer.applies(input, wide));
    }
    try (Autocast fp16 = Autocast.of(ComputeDevice.cpu(), ScalarType.Half)) {
      assertFalse(layer.applies(input, wide));
    }
  }

  private static Tensor rounded(Tensor tensor) {
    return tensor.to(ScalarType.BFloat16).to(ScalarType.Double);
  }

  private static Tensor outOfItsScope(WideConvolution layer, Tensor weight) {
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
