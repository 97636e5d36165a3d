package org.repopt4j.optim;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.relative;

import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Function;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.CslaConv2d;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * The paper's claim (proposition 1), in float64: a CSLA block trained by an ordinary optimizer and
 * one convolution trained by the RepOptimizer stay equal, step after step.
 */
class CslaEquivalenceTest {
  private static final int STEPS = 20;

  @Property(tries = 20)
  void sgdTrainsTheConvolutionAsTheBlock(@ForAll long seed) {
    Random random = new Random(seed);
    double momentum = random.nextBoolean() ? 0.9 : 0;
    boolean nesterov = momentum > 0 && random.nextBoolean();
    double dampening = nesterov || random.nextBoolean() ? 0 : 0.3;
    double weightDecay = random.nextBoolean() ? 0.05 : 0;
    assertEquivalent(
        random,
        1e-12,
        groups ->
            RepOptimizer.sgd(groups).momentum(momentum).dampening(dampening).nesterov(nesterov),
        weightDecay);
  }

  @Property(tries = 20)
  void exactAdamWTrainsTheConvolutionAsTheBlock(@ForAll long seed) {
    Random random = new Random(seed);
    boolean amsgrad = random.nextBoolean();
    double weightDecay = random.nextBoolean() ? 0.05 : 0;
    assertEquivalent(
        random, 1e-12, groups -> RepOptimizer.adamw(groups).amsgrad(amsgrad).exact(), weightDecay);
  }

  @Test
  void officialAdamWEqualsTheBlockWhereAllScalesArePositive() {
    double difference = official(0.6);
    assertTrue(difference < 1e-5, "relative difference " + difference);
  }

  @Test
  void officialAdamWDepartsFromTheBlockWhereSignsDiffer() {
    double difference = official(-0.6);
    assertTrue(difference > 0.05, "relative difference " + difference);
  }

  private static double official(double scaleOf1x1) {
    CslaBlock block =
        CslaBlock.of(KernelShape.of(4, 4, 3, 3)).conv(3, 3, 0.8).conv(1, 1, scaleOf1x1).identity();
    return difference(
        block,
        new Random(7),
        groups -> RepOptimizer.adamw(groups).rule(UpdateRule.ADAMW_OFFICIAL),
        0.0);
  }

  private static void assertEquivalent(
      Random random,
      double tolerance,
      Function<ParameterGroups, RepOptimizerBuilder<?>> rule,
      double weightDecay) {
    CslaBlock block = blocks(random)[random.nextInt(5)];
    double difference = difference(block, random, rule, weightDecay);
    assertTrue(difference <= tolerance, () -> block + ": relative difference " + difference);
  }

  /** The blocks that the paper and its users have, with scales of both signs. */
  private static CslaBlock[] blocks(Random random) {
    return new CslaBlock[] {
      CslaBlock.of(KernelShape.of(5, 3, 3, 3).withStride(2))
          .conv(3, 3, scales(random, 5))
          .conv(1, 1, scales(random, 5)),
      CslaBlock.of(KernelShape.of(4, 4, 3, 3))
          .conv(3, 3, scales(random, 4))
          .conv(1, 1, scales(random, 4))
          .identity(),
      CslaBlock.of(KernelShape.depthwise(4, 3)).conv(3, 3, scales(random, 4)).identity(),
      CslaBlock.of(KernelShape.of(4, 4, 3, 3))
          .conv(1, 3, scales(random, 4))
          .conv(3, 1, scales(random, 4)),
      CslaBlock.of(KernelShape.of(3, 3, 7, 7))
          .conv(7, 7, scales(random, 3))
          .conv(5, 5, scales(random, 3))
    };
  }

  /** How far apart the block's equivalent kernel and the convolution's kernel are at the end. */
  private static double difference(
      CslaBlock block,
      Random random,
      Function<ParameterGroups, RepOptimizerBuilder<?>> rule,
      double weightDecay) {
    try (StepScope scope = StepScope.open()) {
      CslaConv2d module = block.module();
      module.to(ScalarType.Double, false);
      Tensor weight = module.equivalentKernel().requires_grad_(true);
      RepOptimizer plain =
          rule.apply(
                  ParameterGroups.of(ParameterGroup.of(ParameterGroups.named(module), weightDecay)))
              .build();
      RepOptimizer reparameterized =
          rule.apply(
                  ParameterGroups.of(
                      ParameterGroup.of(java.util.Map.of("weight", weight), weightDecay)))
              .gradMult(weight, block.gradMult())
              .build();
      for (int t = 0; t < STEPS; t++) {
        Tensor x = input(random, block.shape().in());
        train(plain, module::forward, x);
        train(reparameterized, input -> convolve(block.shape(), input, weight), x);
      }
      return relative(module.equivalentKernel(), weight);
    }
  }

  private static void train(RepOptimizer optimizer, Function<Tensor, Tensor> forward, Tensor x) {
    optimizer.zeroGrad();
    Tensor y = forward.apply(x).tanh();
    Consumer<Tensor> backward = Tensor::backward;
    backward.accept(y.mul(y).mean().add(y.mean()));
    optimizer.step(0.02);
  }

  private static Tensor convolve(KernelShape shape, Tensor input, Tensor weight) {
    return torch.conv2d(
        input,
        weight,
        Tensors.optional(null),
        new long[] {shape.stride(), shape.stride()},
        new long[] {shape.paddingH(), shape.paddingW()},
        new long[] {1, 1},
        shape.groups());
  }

  private static Tensor input(Random random, int channels) {
    int count = 2 * channels * 8 * 8;
    return Tensors.of(random.doubles(count, -1, 1).toArray(), 2, channels, 8, 8);
  }

  private static double[] scales(Random random, int count) {
    double[] scales = new double[count];
    for (int o = 0; o < count; o++) {
      scales[o] = (random.nextBoolean() ? 1 : -1) * (0.2 + random.nextDouble());
    }
    return scales;
  }
}
