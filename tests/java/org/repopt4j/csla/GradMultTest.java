package org.repopt4j.csla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;
import static org.repopt4j.testkit.TensorAsserts.assertRelative;
import static org.repopt4j.testkit.TensorAsserts.relative;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.BlockKind;
import org.repopt4j.testkit.Golden;
import org.repopt4j.testkit.NaiveBlock;
import org.repopt4j.testkit.TestDevice;

class GradMultTest {
  // These tensors are small: more threads would only wait for each other.
  @BeforeContainer
  static void oneThread() {
    Natives.threads(1);
  }

  @AfterContainer
  static void allThreads() {
    Natives.threads(Runtime.getRuntime().availableProcessors());
  }

  @Property(tries = 200, shrinking = ShrinkingMode.OFF)
  void denseIsTheSumOverTheSupports(@ForAll BlockKind kind, @ForAll long seed) {
    try (StepScope scope = StepScope.open()) {
      NaiveBlock naive = kind.random(seed);
      GradMult mult = naive.block().gradMult();
      Tensor sgd = mult.dense(UpdateRule.SGD, ScalarType.Double, Tensors.cpu());
      Tensor adamw = mult.dense(UpdateRule.ADAMW_OFFICIAL, ScalarType.Double, Tensors.cpu());
      assertRelative("SGD", 1e-14, naive.mult(2), sgd);
      assertRelative("ADAMW_OFFICIAL", 1e-14, naive.mult(1), adamw);
      List<Tensor> supports = mult.supports(ScalarType.Double, Tensors.cpu());
      assertEquals(naive.block().branches().size(), supports.size());
      for (int b = 0; b < supports.size(); b++) {
        assertBitEqual("support " + b, naive.support(b), supports.get(b));
      }
    }
  }

  @Property(tries = 100, shrinking = ShrinkingMode.OFF)
  void float32RoundsTheScaleThenSquaresAndAddsInTheOfficialOrder(@ForAll long seed) {
    Random random = new Random(seed);
    int channels = 1 + random.nextInt(5);
    double[] s3 = gaussian(random, channels);
    double[] s1 = gaussian(random, channels);
    CslaBlock block =
        CslaBlock.of(KernelShape.of(channels, channels, 3, 3))
            .conv(3, 3, s3)
            .conv(1, 1, s1)
            .identity();
    for (UpdateRule rule : List.of(UpdateRule.SGD, UpdateRule.ADAMW_OFFICIAL)) {
      float[] mask = new float[channels * channels * 9];
      for (int at = 0; at < mask.length; at++) {
        int o = at / (channels * 9);
        float a = (float) s3[o];
        float b = (float) s1[o];
        mask[at] = rule == UpdateRule.SGD ? a * a : a;
        if (at % 9 == 4) {
          mask[at] += rule == UpdateRule.SGD ? b * b : b;
          mask[at] += at / 9 % channels == o ? 1f : 0f;
        }
      }
      Tensor expected = Tensors.of(mask, channels, channels, 3, 3);
      GradMult mult = block.gradMult();
      String what = rule + " of seed " + seed;
      assertBitEqual(what, expected, mult.dense(rule));
      // A tensor's own type is how an optimizer asks for it.
      assertBitEqual(what, expected, mult.dense(rule, expected.scalar_type(), expected.device()));
    }
  }

  private static double[] gaussian(Random random, int count) {
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextGaussian();
    }
    return values;
  }

  @Tag("device")
  @ParameterizedTest
  @ValueSource(strings = {"sgd-idscale", "sgd-noidscale", "adamw-idscale"})
  void denseIsTheOfficialMask(String name) {
    Golden golden = Golden.read("vgg-tiny-" + name + "-train.safetensors");
    int n = 0;
    for (Map.Entry<String, Tensor> mask : golden.tensors("mult.").entrySet()) {
      CslaBlock block = CslaBlockTest.officialBlock(golden, n, Tensors.shape(mask.getValue()));
      Tensor dense = block.gradMult().dense(rule(golden), ScalarType.Float, TestDevice.get());
      assertBitEqual(mask.getKey(), mask.getValue(), dense);
      n++;
    }
    assertEquals(7, n);
  }

  @Tag("device")
  @ParameterizedTest
  @ValueSource(strings = {"sgd", "adamw"})
  void denseIsTheOfficialMaskOfGhostModules(String name) {
    Golden golden = Golden.read("ghost-module-" + name + ".safetensors");
    for (int n = 0; n < 2; n++) {
      Tensor mask = golden.tensor("mult." + n + ".cheap_operation.0.weight");
      int k = (int) mask.size(2);
      assertEquals(3 + 2 * n, k);
      CslaBlock block =
          CslaBlock.of(KernelShape.depthwise((int) mask.size(0), k))
              .conv(k, k, golden.tensor("scale." + n + ".conv"))
              .identity();
      assertBitEqual(
          "module " + n,
          mask,
          block.gradMult().dense(rule(golden), ScalarType.Float, TestDevice.get()));
    }
  }

  private static UpdateRule rule(Golden golden) {
    return golden.metadata("rule").equals("sgd") ? UpdateRule.SGD : UpdateRule.ADAMW_OFFICIAL;
  }

  @Property(tries = 150, shrinking = ShrinkingMode.OFF)
  void oneConvolutionTrainsAsTheBlock(@ForAll BlockKind kind, @ForAll long seed) {
    double difference = trainBoth(kind.random(seed), true);
    assertTrue(difference < 1e-12, () -> kind + " of seed " + seed + " is off by " + difference);
  }

  @Test
  void withoutTheMultItDoesNot() {
    double difference = trainBoth(BlockKind.DENSE_WITH_IDENTITY.random(7), false);
    assertTrue(difference > 1e-3, () -> "only off by " + difference);
  }

  /** Three steps of SGD with momentum and weight decay; the L2 distance of the two kernels. */
  private static double trainBoth(NaiveBlock naive, boolean withMult) {
    try (StepScope scope = StepScope.open()) {
      CslaBlock block = naive.block();
      Tensor input = naive.input();
      CslaConv2d module = CslaConv2dTest.inFloat64(naive);
      List<PlainSgd> parts = new ArrayList<>();
      for (Tensor kernel : module.kernels()) {
        parts.add(new PlainSgd(kernel, torch.ones_like(kernel)));
      }
      Tensor single = block.equivalentKernel(naive.kernels());
      single.requires_grad_(true);
      Tensor mult = block.gradMult().dense(UpdateRule.SGD, ScalarType.Double, Tensors.cpu());
      PlainSgd whole = new PlainSgd(single, withMult ? mult : torch.ones_like(mult));
      for (int step = 0; step < 3; step++) {
        loss(block.shape(), module.forward(input)).backward();
        parts.forEach(PlainSgd::step);
        loss(block.shape(), convolve(block.shape(), input, single)).backward();
        whole.step();
      }
      return relative(module.equivalentKernel(), single);
    }
  }

  /** Not linear, so that gradients depend on the weights; the factor keeps it well conditioned. */
  private static Tensor loss(KernelShape shape, Tensor output) {
    double fanIn = (double) shape.inPerGroup() * shape.kh() * shape.kw();
    return output.mul(new Scalar(1 / Math.sqrt(fanIn))).sin().mean();
  }

  private static Tensor convolve(KernelShape shape, Tensor input, Tensor kernel) {
    return torch.conv2d(
        input,
        kernel,
        Tensors.optional(null),
        new long[] {shape.stride(), shape.stride()},
        new long[] {shape.paddingH(), shape.paddingW()},
        new long[] {1, 1},
        shape.groups());
  }

  /** Grad Mult, weight decay, momentum, learning rate: the paper's order in plain tensor maths. */
  private static final class PlainSgd {
    private final Tensor parameter;
    private final Tensor mult;
    private Tensor momentum;

    PlainSgd(Tensor parameter, Tensor mult) {
      this.parameter = parameter;
      this.mult = mult;
      this.momentum = torch.zeros_like(parameter);
    }

    void step() {
      try (NoGrad noGrad = NoGrad.open()) {
        Tensor decayed = parameter.grad().mul(mult).add(parameter.mul(new Scalar(0.01)));
        momentum = momentum.mul(new Scalar(0.9)).add(decayed);
        parameter.sub_(momentum.mul(new Scalar(0.1)));
        parameter.grad().zero_();
      }
    }
  }

  @Test
  void saysWhatItIs() {
    CslaBlock block = CslaBlock.of(KernelShape.of(4, 4, 3, 3)).conv(3, 3, 2.0).identity();
    GradMult mult = block.gradMult();
    assertEquals(block.shape(), mult.shape());
    assertEquals(block.branches(), mult.branches());
    assertEquals(8, mult.size());
    assertEquals("GradMult[4, 4, 3, 3][3x3, identity]", mult.toString());
  }

  @Test
  void denseOutlivesAScopeOnlyByTheCallersWill() {
    GradMult mult = CslaBlock.of(KernelShape.of(1, 1, 1, 1)).conv(1, 1, 3.0).gradMult();
    Tensor kept;
    try (StepScope scope = StepScope.open()) {
      kept = scope.keep(mult.dense(UpdateRule.SGD));
    }
    assertBitEqual("kept", Tensors.of(new float[] {9}, 1, 1, 1, 1), kept);
  }

  @Test
  void refusesADenseFormOfTheExactRule() {
    GradMult mult = CslaBlock.of(KernelShape.of(1, 1, 1, 1)).conv(1, 1, 3.0).gradMult();
    assertRefused(() -> mult.dense(UpdateRule.ADAMW_EXACT), "ADAMW_EXACT", "supports()");
  }
}
