package org.repopt4j.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

class OptimizerStateTest {
  private static final GradMult MULT =
      CslaBlock.of(KernelShape.of(5, 5, 3, 3))
          .conv(3, 3, 0.7)
          .conv(1, 1, -0.4)
          .identity()
          .gradMult();

  /** Two parameters, the first a kernel with a Grad Mult, and the optimizer that trains them. */
  private static final class Run {
    final Tensor kernel;
    final Tensor bias;
    final RepOptimizer optimizer;

    Run(Tensor kernel, Tensor bias, int kind) {
      this.kernel = kernel.requires_grad_(true);
      this.bias = bias.requires_grad_(true);
      Map<String, Tensor> named = new LinkedHashMap<>();
      named.put("conv.weight", this.kernel);
      named.put("conv.bias", this.bias);
      RepOptimizerBuilder<?> builder =
          kind == 0
              ? RepOptimizer.sgd(named).momentum(0.9).nesterov(true)
              : RepOptimizer.adamw(named)
                  .rule(kind == 1 ? UpdateRule.ADAMW_EXACT : UpdateRule.ADAMW_OFFICIAL)
                  .amsgrad(kind == 2);
      builder.weightDecay(0.01).gradMult(this.kernel, MULT);
      this.optimizer = builder.build();
    }

    static Run fresh(int kind) {
      return new Run(
          Tensors.ones(ScalarType.Float, Tensors.cpu(), 5, 5, 3, 3),
          Tensors.ones(ScalarType.Float, Tensors.cpu(), 5),
          kind);
    }

    void step(Random random) {
      kernel.mutable_grad().put(random(random, 5, 5, 3, 3));
      bias.mutable_grad().put(random(random, 5));
      optimizer.step(0.05);
    }
  }

  private static Tensor random(Random random, long... shape) {
    float[] values = new float[shape.length == 1 ? 5 : 225];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensors.of(values, shape);
  }

  @Property(tries = 30)
  void trainingGoesOnBitForBit(@ForAll long seed) {
    try (StepScope scope = StepScope.open()) {
      Random random = new Random(seed);
      int kind = random.nextInt(3);
      boolean last = random.nextBoolean();
      Tensor start = random(random, 5, 5, 3, 3);
      Run whole =
          new Run(
              last ? start.contiguous(MemoryFormat.ChannelsLast) : start, random(random, 5), kind);
      for (int t = 0; t < 3; t++) {
        whole.step(random);
      }
      OptimizerState saved = whole.optimizer.state();
      Run resumed;
      try (NoGrad noGrad = NoGrad.open()) {
        resumed = new Run(whole.kernel.clone(), whole.bias.clone(), kind);
      }
      resumed.optimizer.load(saved);
      long next = random.nextLong();
      for (Run run : List.of(whole, resumed)) {
        Random rest = new Random(next);
        for (int t = 0; t < 3; t++) {
          run.step(rest);
        }
      }
      assertBitEqual("kernel", whole.kernel, resumed.kernel);
      assertBitEqual("bias", whole.bias, resumed.bias);
      OptimizerState end = whole.optimizer.state();
      assertEquals(end.steps(), resumed.optimizer.state().steps());
      end.tensors()
          .forEach(
              (name, tensor) ->
                  assertBitEqual(name, tensor, resumed.optimizer.state().tensors().get(name)));
    }
  }

  @Test
  void aSavedStateDoesNotChangeWithLaterSteps() {
    Run run = Run.fresh(0);
    Random random = new Random(1);
    run.step(random);
    OptimizerState saved = run.optimizer.state();
    Tensor before = saved.tensors().get("conv.bias.momentum_buffer").clone();
    run.step(random);
    assertBitEqual("saved", before, saved.tensors().get("conv.bias.momentum_buffer"));
    Run other = Run.fresh(0);
    other.optimizer.load(saved);
    other.step(random);
    assertBitEqual("loaded", before, saved.tensors().get("conv.bias.momentum_buffer"));
  }

  @Test
  void namesAreTheParametersWithTorchsSuffixes() {
    Run run = Run.fresh(2);
    assertEquals(Map.of(), run.optimizer.state().tensors());
    run.step(new Random(1));
    OptimizerState state = run.optimizer.state();
    assertEquals(
        Set.of(
            "conv.weight.exp_avg",
            "conv.weight.exp_avg_sq",
            "conv.weight.max_exp_avg_sq",
            "conv.bias.exp_avg",
            "conv.bias.exp_avg_sq",
            "conv.bias.max_exp_avg_sq"),
        state.tensors().keySet());
    assertEquals(Map.of("conv.weight", 1L, "conv.bias", 1L), state.steps());
    assertEquals(0.05, state.learningRate());
    assertEquals(UpdateRule.ADAMW_OFFICIAL, state.rule());
  }

  @Test
  void anEmptyStateForgetsWhatWasThere() {
    Run run = Run.fresh(1);
    OptimizerState empty = run.optimizer.state();
    run.step(new Random(1));
    run.optimizer.load(empty);
    assertEquals(Map.of(), run.optimizer.state().tensors());
    assertEquals(Map.of(), run.optimizer.state().steps());
  }

  @Test
  void whatDoesNotFitIsRefusedAndChangesNothing() {
    Run run = Run.fresh(1);
    run.step(new Random(1));
    OptimizerState good = run.optimizer.state();
    Tensor five = Tensors.ones(ScalarType.Float, Tensors.cpu(), 5);

    List<Map.Entry<String, OptimizerState>> bad = new ArrayList<>();
    bad.add(
        Map.entry(
            "that of SGD", new OptimizerState(UpdateRule.SGD, 0.1, good.steps(), good.tensors())));
    bad.add(Map.entry("'other.exp_avg'", with(good, "other.exp_avg", five)));
    bad.add(Map.entry("'conv.bias.max_exp_avg_sq'", with(good, "conv.bias.max_exp_avg_sq", five)));
    bad.add(
        Map.entry(
            "shape [5], got: [4]", with(good, "conv.bias.exp_avg", Tensors.of(new float[4], 4))));
    bad.add(Map.entry("type Float", with(good, "conv.bias.exp_avg", Tensors.of(new double[5], 5))));
    bad.add(Map.entry("has [exp_avg] of", with(good, "conv.bias.exp_avg_sq", null)));
    bad.add(Map.entry("at least 1 step", steps(good, Map.of("conv.weight", 1L))));
    bad.add(Map.entry("at least 1 step", steps(good, Map.of("conv.weight", 1L, "conv.bias", 0L))));
    bad.add(
        Map.entry(
            "'x', which is no parameter",
            steps(good, Map.of("conv.weight", 1L, "conv.bias", 1L, "x", 3L))));
    for (Map.Entry<String, OptimizerState> one : bad) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> run.optimizer.load(one.getValue()))
              .getMessage();
      assertTrue(message.contains(one.getKey()), message);
    }
    OptimizerState after = run.optimizer.state();
    good.tensors()
        .forEach((name, tensor) -> assertBitEqual(name, tensor, after.tensors().get(name)));
    assertEquals(good.steps(), after.steps());
  }

  private static OptimizerState with(OptimizerState state, String name, Tensor tensor) {
    Map<String, Tensor> tensors = new LinkedHashMap<>(state.tensors());
    if (tensor == null) {
      tensors.remove(name);
    } else {
      tensors.put(name, tensor);
    }
    return new OptimizerState(state.rule(), state.learningRate(), state.steps(), tensors);
  }

  private static OptimizerState steps(OptimizerState state, Map<String, Long> steps) {
    return new OptimizerState(state.rule(), state.learningRate(), steps, state.tensors());
  }
}
