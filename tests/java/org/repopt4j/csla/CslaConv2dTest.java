package org.repopt4j.csla;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;
import static org.repopt4j.testkit.TensorAsserts.assertRelative;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.bytedeco.pytorch.StringTensorDict;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.BlockKind;
import org.repopt4j.testkit.NaiveBlock;

class CslaConv2dTest {
  // These tensors are small: more threads would only wait for each other.
  @BeforeContainer
  static void oneThread() {
    Natives.threads(1);
  }

  @AfterContainer
  static void allThreads() {
    Natives.threads(Runtime.getRuntime().availableProcessors());
  }

  private static final KernelShape SHAPE = KernelShape.of(3, 3, 3, 3);

  /** The block's module in float64 with the block's kernels. */
  static CslaConv2d inFloat64(NaiveBlock naive) {
    CslaConv2d module = naive.block().module();
    module.to(ScalarType.Double, /* non_blocking= */ false);
    List<Tensor> kernels = naive.kernels();
    try (NoGrad noGrad = NoGrad.open()) {
      for (int b = 0; b < kernels.size(); b++) {
        module.kernels().get(b).copy_(kernels.get(b));
      }
    }
    return module;
  }

  @Property(tries = 200, shrinking = ShrinkingMode.OFF)
  void computesTheSumOfItsBranches(@ForAll BlockKind kind, @ForAll long seed) {
    try (StepScope scope = StepScope.open()) {
      NaiveBlock naive = kind.random(seed);
      Tensor input = naive.input();
      CslaConv2d module = inFloat64(naive);
      assertRelative("output", 1e-12, naive.forward(input), module.forward(input));
      assertRelative("kernel", 1e-14, naive.equivalentKernel(), module.equivalentKernel());
    }
  }

  @Test
  void namesItsParametersAndBuffers() {
    CslaBlock block = CslaBlock.of(SHAPE).conv(3, 3, 2.0).conv(3, 1, -0.5).identity();
    CslaConv2d module = block.module();
    assertSame(block, module.block());
    StringTensorDict parameters = module.named_parameters();
    StringTensorDict buffers = module.named_buffers();
    assertEquals(3, parameters.size());
    assertEquals(3, buffers.size());
    for (int b = 0; b < 3; b++) {
      assertEquals("branch" + b, parameters.get(b).key().getString());
      assertEquals("scale" + b, buffers.get(b).key().getString());
      assertTrue(module.kernels().get(b).requires_grad());
      assertFalse(buffers.get(b).value().requires_grad());
      assertArrayEquals(
          block.branches().get(b).tensorShape(SHAPE), Tensors.shape(module.kernels().get(b)));
    }
    assertBitEqual(
        "scale1",
        Tensors.of(new float[] {-0.5f, -0.5f, -0.5f}, 1, 3, 1, 1),
        buffers.get(1).value());
  }

  @Test
  void freshKernelsLieInTheBoundOfTorchAndTheIdentityIsOne() {
    CslaConv2d module =
        CslaBlock.of(KernelShape.of(16, 16, 3, 3))
            .conv(3, 3, 1.0)
            .conv(1, 1, 1.0)
            .identity()
            .module();
    assertUniform(module.kernels().get(0), 1 / Math.sqrt(16 * 9));
    assertUniform(module.kernels().get(1), 1 / Math.sqrt(16));
    assertBitEqual(
        "identity",
        Tensors.ones(ScalarType.Float, Tensors.cpu(), 16, 1, 1, 1),
        module.kernels().get(2));
  }

  /** Within the bound, and near its both ends: 256 draws miss a tenth of them once in 10^11. */
  private static void assertUniform(Tensor kernel, double bound) {
    double low = 0;
    double high = 0;
    for (double value : Tensors.toDoubles(kernel)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    assertTrue(low >= -bound - 1e-7 && low < -0.8 * bound, "lowest " + low + " of " + bound);
    assertTrue(high <= bound + 1e-7 && high > 0.8 * bound, "highest " + high + " of " + bound);
  }

  @Test
  void gradientsReachEveryKernelAndNoScale() {
    CslaConv2d module = CslaBlock.of(SHAPE).conv(3, 3, 2.0).conv(1, 1, 3.0).identity().module();
    Tensor input = Tensors.ones(ScalarType.Float, Tensors.cpu(), 1, 3, 1, 1);
    module.forward(input).sum().backward();
    // One pixel of ones: each centre weight meets it once, so its gradient is the scale.
    assertBitEqual(
        "identity", Tensors.of(new float[] {1, 1, 1}, 3, 1, 1, 1), module.kernels().get(2).grad());
    float[] nine = new float[9];
    java.util.Arrays.fill(nine, 3f);
    assertBitEqual("1x1", Tensors.of(nine, 3, 3, 1, 1), module.kernels().get(1).grad());
    float[] centres = new float[81];
    for (int i = 4; i < 81; i += 9) {
      centres[i] = 2f;
    }
    assertBitEqual("3x3", Tensors.of(centres, 3, 3, 3, 3), module.kernels().get(0).grad());
  }

  @Test
  void outlivesTheScopeItWasMadeIn() {
    CslaConv2d module;
    try (StepScope scope = StepScope.open()) {
      module = CslaBlock.of(SHAPE).conv(3, 3, 2.0).identity().module();
    }
    try (StepScope scope = StepScope.open()) {
      Tensor input = Tensors.ones(ScalarType.Float, Tensors.cpu(), 2, 3, 5, 4);
      assertArrayEquals(new long[] {2, 3, 5, 4}, Tensors.shape(module.forward(input)));
    }
    assertArrayEquals(new long[] {3, 3, 3, 3}, Tensors.shape(module.equivalentKernel()));
  }

  @Test
  void refusesAnInputOfAnotherShape() {
    CslaConv2d module = CslaBlock.of(SHAPE).conv(3, 3, 2.0).module();
    assertRefused(
        () -> module.forward(Tensors.of(new float[16], 1, 4, 2, 2)),
        "[n, 3, h, w]",
        "[1, 4, 2, 2]");
    assertRefused(
        () -> module.forward(Tensors.of(new float[12], 3, 2, 2)), "[n, 3, h, w]", "[3, 2, 2]");
    assertRefused(() -> module.forward(Tensors.of(new float[] {1})), "[n, 3, h, w]", "[]");
  }

  @Test
  void refusesAnInputSmallerThanTheKernel() {
    CslaConv2d module = CslaBlock.of(SHAPE.withPadding(0)).conv(1, 1, 2.0).module();
    assertRefused(
        () -> module.forward(Tensors.of(new float[6], 1, 3, 2, 1)), "3x3", "[1, 3, 2, 1]");
  }
}
