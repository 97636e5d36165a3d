package org.repopt4j.train;

import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.CslaConv2d;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.optim.RepOptimizerBuilder;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * Gradient re-parameterization against the block itself: both are trained for some steps on the
 * same random data from equal starts, the block with an ordinary optimizer and the one convolution
 * with a RepOptimizer (official {@code check_equivalency.py}, for any block).
 */
public final class EquivalenceCheck {
  private static final int CHANNELS = 4;
  private static final int BATCH = 4;
  private static final int SIZE = 8;
  private static final double LR = 0.1;
  private static final double WEIGHT_DECAY = 0.1;

  private final int steps;
  private final long seed;

  /**
   * A check of so many steps.
   *
   * @param seed of kernels, scales and data
   */
  public EquivalenceCheck(int steps, long seed) {
    this.steps = steps;
    this.seed = seed;
  }

  /** The signs of a block's scales. */
  public enum Signs {
    /** All above 0. */
    POSITIVE,
    /** Both signs, so that they meet at the centre of the kernel. */
    BOTH
  }

  /**
   * One comparison.
   *
   * @param block the block's branches
   * @param rule the update rule of the convolution
   * @param signs the signs of the scales
   * @param float64 {@code Σ|W' − W| / Σ|W|} after the last step in float64, W' the convolution's
   *     kernel and W the block's
   * @param float32 the same in float32
   */
  public record Comparison(
      String block, UpdateRule rule, Signs signs, double float64, double float32) {}

  /**
   * The blocks that are checked: names and kernel shapes with their branches, scales to be filled
   * in.
   */
  private enum Shape {
    TWO_BRANCH("3x3 + 1x1"),
    THREE_BRANCH("3x3 + 1x1 + identity"),
    DEPTHWISE("depthwise 3x3 + identity"),
    ASYMMETRIC("3x3 + 1x3 + 3x1"),
    LARGE("7x7 + 5x5 + identity");

    final String title;

    Shape(String title) {
      this.title = title;
    }

    CslaBlock block(SplittableRandom random, Signs signs) {
      return switch (this) {
        case TWO_BRANCH ->
            dense(3).conv(3, 3, scales(random, signs)).conv(1, 1, scales(random, signs));
        case THREE_BRANCH ->
            dense(3).conv(3, 3, scales(random, signs)).conv(1, 1, scales(random, signs)).identity();
        case DEPTHWISE ->
            CslaBlock.of(KernelShape.depthwise(CHANNELS, 3))
                .conv(3, 3, scales(random, signs))
                .identity();
        case ASYMMETRIC ->
            dense(3)
                .conv(3, 3, scales(random, signs))
                .conv(1, 3, scales(random, signs))
                .conv(3, 1, scales(random, signs));
        case LARGE ->
            dense(7).conv(7, 7, scales(random, signs)).conv(5, 5, scales(random, signs)).identity();
      };
    }

    private static CslaBlock dense(int k) {
      return CslaBlock.of(KernelShape.of(CHANNELS, CHANNELS, k, k));
    }

    private static double[] scales(SplittableRandom random, Signs signs) {
      double[] scales = new double[CHANNELS];
      for (int o = 0; o < scales.length; o++) {
        // Values that float32 holds exactly, so that both precisions train the same block.
        scales[o] = (float) (0.2 + random.nextDouble());
        if (signs == Signs.BOTH && random.nextBoolean()) {
          scales[o] = -scales[o];
        }
      }
      return scales;
    }
  }

  /** All blocks under all rules with scales of either kind. */
  public List<Comparison> run() {
    List<Comparison> comparisons = new ArrayList<>();
    for (Shape shape : Shape.values()) {
      for (Signs signs : Signs.values()) {
        CslaBlock block = shape.block(new SplittableRandom(seed + shape.title.hashCode()), signs);
        for (UpdateRule rule : UpdateRule.values()) {
          comparisons.add(
              new Comparison(
                  shape.title,
                  rule,
                  signs,
                  difference(block, rule, ScalarType.Double),
                  difference(block, rule, ScalarType.Float)));
        }
      }
    }
    return comparisons;
  }

  private double difference(CslaBlock block, UpdateRule rule, ScalarType type) {
    try (StepScope all = StepScope.open()) {
      Natives.manualSeed(seed);
      CslaConv2d module = block.module();
      module.to(type, /* non_blocking= */ false);
      Tensor weight = block.equivalentKernel(module.kernels());
      weight.requires_grad_(true);
      Map<String, Tensor> one = ImmutableMap.of("weight", weight);
      RepOptimizer blockOptimizer = optimizer(rule, named(module.kernels())).build();
      RepOptimizer convOptimizer = optimizer(rule, one).gradMult(weight, block.gradMult()).build();
      for (int step = 0; step < steps; step++) {
        try (StepScope scope = StepScope.open()) {
          Tensor input =
              torch.randn(
                  new long[] {BATCH, CHANNELS, SIZE, SIZE}, Tensors.options(type, Tensors.cpu()));
          step(blockOptimizer, module.forward(input));
          step(convOptimizer, convolve(block.shape(), input, weight));
        }
      }
      try (NoGrad noGrad = NoGrad.open()) {
        Tensor expected = module.equivalentKernel();
        double distance = weight.sub(expected).abs().sum().item_double();
        return distance / expected.abs().sum().item_double();
      }
    }
  }

  private static Map<String, Tensor> named(List<Tensor> kernels) {
    ImmutableMap.Builder<String, Tensor> named = ImmutableMap.builder();
    for (int b = 0; b < kernels.size(); b++) {
      named.put("branch" + b, kernels.get(b));
    }
    return named.buildOrThrow();
  }

  private static RepOptimizerBuilder<?> optimizer(UpdateRule rule, Map<String, Tensor> parameters) {
    return rule == UpdateRule.SGD
        ? RepOptimizer.sgd(parameters).lr(LR).momentum(0.9).nesterov(true).weightDecay(WEIGHT_DECAY)
        : RepOptimizer.adamw(parameters).lr(LR / 10).rule(rule).weightDecay(WEIGHT_DECAY);
  }

  /**
   * The loss is the variance of the output, as in the official check: arbitrary, and different for
   * every kernel.
   */
  private static void step(RepOptimizer optimizer, Tensor output) {
    optimizer.zeroGrad();
    output.var(true).backward();
    optimizer.step();
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
}
