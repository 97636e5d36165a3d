package org.repopt4j.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/** What rides along in a step is what separate passes before and after it would do. */
class StepExtrasTest {
  private static final double DECAY = 0.75;

  private static float[] values(long seed, int count) {
    float[] values = new float[count];
    Random random = new Random(seed);
    for (int i = 0; i < count; i++) {
      values[i] = random.nextFloat() * 2 - 1;
    }
    return values;
  }

  private static CslaBlock block() {
    return CslaBlock.of(KernelShape.of(6, 6, 3, 3))
        .conv(3, 3, new double[] {0.5, -1, 2, 1, 1, 1})
        .conv(1, 1, new double[] {1, 2, 3, 4, 5, 6})
        .identity();
  }

  private static Map<String, Tensor> parameters(ScalarType type) {
    Map<String, Tensor> named = new LinkedHashMap<>();
    named.put("conv", Tensors.of(values(1, 324), 6, 6, 3, 3).to(type).requires_grad_(true));
    named.put("bias", Tensors.of(values(2, 7), 7).to(type).requires_grad_(true));
    named.put("resting", Tensors.of(values(3, 5), 5).to(type).requires_grad_(true));
    return named;
  }

  private static void gradients(Map<String, Tensor> named, int step, double times) {
    for (String name : new String[] {"conv", "bias"}) {
      Tensor p = named.get(name);
      float[] values = values(100L * step + name.length(), (int) p.numel());
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (values[i] * times);
      }
      p.mutable_grad().put(Tensors.of(values, Tensors.shape(p)).to(Tensors.type(p)));
    }
  }

  private static RepOptimizer sgd(Map<String, Tensor> named, Engine engine, boolean masters) {
    return RepOptimizer.sgd(named)
        .momentum(0.9)
        .nesterov(true)
        .weightDecay(0.01)
        .gradMult(named.get("conv"), block().gradMult())
        .masterWeights(masters)
        .engine(engine)
        .build();
  }

  @ParameterizedTest
  @EnumSource(Engine.class)
  void unscalesAveragesAndClearsLikeSeparatePasses(Engine engine) {
    try (StepScope scope = StepScope.open()) {
      Map<String, Tensor> plain = parameters(ScalarType.Float);
      Map<String, Tensor> riding = parameters(ScalarType.Float);
      RepOptimizer separately = sgd(plain, engine, false);
      RepOptimizer together = sgd(riding, engine, false);
      Map<String, double[]> expected = new LinkedHashMap<>();
      Map<String, Tensor> averages = new LinkedHashMap<>();
      riding.forEach(
          (name, p) -> {
            float[] start = values(50 + name.length(), (int) p.numel());
            averages.put(name, Tensors.of(start, Tensors.shape(p)));
            expected.put(name, Tensors.toDoubles(averages.get(name)));
          });
      // A power of two, so that scaling the gradients rounds nothing.
      StepExtras extras =
          StepExtras.NONE.gradientScale(1024).zeroingGradients().averaging(averages, DECAY);
      for (int step = 0; step < 4; step++) {
        gradients(plain, step, 1);
        separately.step(0.1);
        gradients(riding, step, 1024);
        together.step(0.1, extras);
        for (String name : plain.keySet()) {
          assertBitEqual(name, plain.get(name), riding.get(name));
          double[] now = Tensors.toDoubles(plain.get(name));
          double[] average = expected.get(name);
          for (int i = 0; i < now.length; i++) {
            average[i] = DECAY * average[i] + (1 - DECAY) * now[i];
          }
          assertArrayEquals(average, Tensors.toDoubles(averages.get(name)), 1e-6, name);
        }
        for (String name : new String[] {"conv", "bias"}) {
          float[] cleared = Tensors.toFloats(riding.get(name).grad());
          assertArrayEquals(new float[cleared.length], cleared, name);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Engine.class)
  void aMasterIsTrainedInFloat32AndTheParameterIsItRounded(Engine engine) {
    for (ScalarType type : new ScalarType[] {ScalarType.BFloat16, ScalarType.Half}) {
      try (StepScope scope = StepScope.open();
          NoGrad noGrad = NoGrad.open()) {
        Map<String, Tensor> low = parameters(type);
        Map<String, Tensor> full = new LinkedHashMap<>();
        low.forEach(
            (name, p) -> full.put(name, p.detach().to(ScalarType.Float).requires_grad_(true)));
        RepOptimizer masters = sgd(low, engine, true);
        RepOptimizer plain = sgd(full, engine, false);
        for (int step = 0; step < 5; step++) {
          gradients(low, step, 1);
          low.forEach(
              (name, p) -> {
                if (p.grad().defined()) {
                  full.get(name).mutable_grad().put(p.grad().to(ScalarType.Float));
                }
              });
          // So small that a low-precision parameter would not move at all.
          masters.step(1e-5);
          plain.step(1e-5);
          for (String name : low.keySet()) {
            assertBitEqual(name, full.get(name).to(type), low.get(name));
            Tensor master = masters.state().tensors().get(name + ".master_param");
            assertBitEqual(name, full.get(name), master);
          }
        }
      }
    }
  }

  @Test
  void aStateWithMastersGoesOnBitForBit() {
    try (StepScope scope = StepScope.open()) {
      Map<String, Tensor> first = parameters(ScalarType.BFloat16);
      RepOptimizer one = sgd(first, Engine.FUSED, true);
      gradients(first, 0, 1);
      one.step(0.01);
      OptimizerState saved = one.state();
      Map<String, Tensor> second = parameters(ScalarType.BFloat16);
      RepOptimizer other = sgd(second, Engine.FUSED, true);
      other.load(saved);
      for (String name : first.keySet()) {
        assertBitEqual(name, first.get(name), second.get(name));
      }
      gradients(first, 1, 1);
      gradients(second, 1, 1);
      one.step(0.01);
      other.step(0.01);
      for (String name : first.keySet()) {
        assertBitEqual(name, first.get(name), second.get(name));
      }
      RepOptimizer without = sgd(parameters(ScalarType.BFloat16), Engine.FUSED, false);
      assertThrows(IllegalArgumentException.class, () -> without.load(saved));
      assertThrows(IllegalArgumentException.class, () -> other.load(without.state()));
    }
  }

  @Test
  void whatDoesNotFitIsRefusedAndNothingChanges() {
    try (StepScope scope = StepScope.open()) {
      Map<String, Tensor> named = parameters(ScalarType.Float);
      RepOptimizer optimizer = sgd(named, Engine.FUSED, false);
      gradients(named, 0, 1);
      double[] before = Tensors.toDoubles(named.get("conv"));
      Tensor five = Tensors.of(new float[5], 5);
      for (Map<String, Tensor> wrong :
          java.util.List.of(Map.of("conv", five), Map.of("nobody", five), Map.of("bias", five))) {
        IllegalArgumentException refused =
            assertThrows(
                IllegalArgumentException.class,
                () -> optimizer.step(0.1, StepExtras.NONE.averaging(wrong, DECAY)));
        assertTrue(refused.getMessage().contains("average"), refused::getMessage);
        assertArrayEquals(before, Tensors.toDoubles(named.get("conv")));
      }
      for (double scale : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
        assertThrows(IllegalArgumentException.class, () -> StepExtras.NONE.gradientScale(scale));
      }
      assertThrows(IllegalArgumentException.class, () -> StepExtras.NONE.averaging(Map.of(), 1.5));
      assertEquals(0, optimizer.state().tensors().size());
    }
  }
}
