package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.optim.StepExtras;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.train.RunSettings.Precision;

class GradientStepTest {
  private static final CslaBlock BLOCK =
      CslaBlock.of(KernelShape.of(3, 3, 3, 3)).conv(3, 3, 0.7).conv(1, 1, -0.4).identity();

  /** A kernel with a Grad Mult and a bias without, under AdamW, whose steps are counted. */
  private static final class Model {
    final Map<String, Tensor> parameters = new LinkedHashMap<>();
    final Map<String, Tensor> averages = new LinkedHashMap<>();
    final RepOptimizer optimizer;
    final GradientStep step;

    Model(Precision precision, double clip) {
      Random random = new Random(1);
      parameters.put("kernel", values(random, 81, 3, 3, 3, 3).requires_grad_(true));
      parameters.put("bias", values(random, 3, 3).requires_grad_(true));
      parameters.put("unused", values(random, 3, 3).requires_grad_(true));
      parameters.forEach((name, value) -> averages.put(name, value.detach().clone()));
      optimizer =
          RepOptimizer.adamw(parameters)
              .exact()
              .gradMult(parameters.get("kernel"), BLOCK.gradMult())
              .build();
      step = new GradientStep(optimizer, parameters, precision, clip);
    }

    private static Tensor values(Random random, int count, long... shape) {
      float[] values = new float[count];
      for (int i = 0; i < count; i++) {
        values[i] = (float) random.nextGaussian();
      }
      return Tensors.of(values, shape);
    }

    /** Gradients of the seed, times a factor. */
    void gradients(long seed, double factor) {
      Random random = new Random(seed);
      for (String name : new String[] {"kernel", "bias"}) {
        Tensor p = parameters.get(name);
        Tensor gradient = values(random, (int) p.numel(), Tensors.shape(p));
        p.mutable_grad().put(gradient.mul(new org.bytedeco.pytorch.Scalar(factor)));
      }
    }

    boolean step() {
      return step.step(0.01, StepExtras.NONE.averaging(averages, 0.9));
    }

    Map<String, Tensor> state() {
      Map<String, Tensor> state = new LinkedHashMap<>(parameters);
      averages.forEach((name, value) -> state.put("average " + name, value));
      state.putAll(optimizer.state().tensors());
      return state;
    }
  }

  private static void assertEqualModels(Model expected, Model actual) {
    Map<String, Tensor> state = actual.state();
    assertEquals(expected.state().keySet(), state.keySet());
    expected.state().forEach((name, value) -> assertBitEqual(name, value, state.get(name)));
    assertEquals(expected.optimizer.state().steps(), actual.optimizer.state().steps());
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5, 1e6})
  void scaledGradientsMakeTheStepsOfUnscaledOnes(double clip) {
    Model plain = new Model(Precision.FP32, clip);
    Model scaled = new Model(Precision.FP16, clip);
    for (int n = 0; n < 4; n++) {
      plain.gradients(n, 1);
      scaled.gradients(n, scaled.step.scaler().scale());
      assertTrue(plain.step());
      assertTrue(scaled.step());
    }
    assertEqualModels(plain, scaled);
    assertEquals(new GradScaler(65536, 4), scaled.step.scaler());
    assertEquals(GradScaler.START, plain.step.scaler());
  }

  @ParameterizedTest
  @CsvSource({"Infinity, 0", "-Infinity, 0", "NaN, 0", "Infinity, 0.5", "NaN, 0.5"})
  void anOverflowLeavesTheStepOutAndHalvesTheScale(float bad, double clip) {
    Model never = new Model(Precision.FP16, clip);
    Model once = new Model(Precision.FP16, clip);
    for (int n = 0; n < 3; n++) {
      if (n == 1) {
        once.gradients(99, 65536);
        once.parameters.get("bias").grad().select(0, 2).fill_(Tensors.of(new float[] {bad}));
        assertFalse(once.step());
        assertEquals(new GradScaler(32768, 0), once.step.scaler());
      }
      never.gradients(n, never.step.scaler().scale());
      once.gradients(n, once.step.scaler().scale());
      assertTrue(never.step());
      assertTrue(once.step());
    }
    assertEqualModels(never, once);
    assertEquals(new GradScaler(32768, 2), once.step.scaler());
  }

  @Test
  void theFirstStepMayBeTheOneThatOverflows() {
    Model model = new Model(Precision.FP16, 0);
    model.gradients(0, Double.POSITIVE_INFINITY);
    assertFalse(model.step());
    assertTrue(model.optimizer.state().steps().isEmpty());
    Model plain = new Model(Precision.FP32, 0);
    plain.gradients(1, 1);
    model.gradients(1, 32768);
    assertTrue(plain.step());
    assertTrue(model.step());
    assertEqualModels(plain, model);
  }

  @Test
  void gradientsThatOverflowAtEveryScaleEndTheRun() {
    Model model = new Model(Precision.FP16, 0);
    TrainingDivergedException ended =
        assertThrows(
            TrainingDivergedException.class,
            () -> {
              for (int n = 0; n < 1000; n++) {
                model.gradients(n, Double.POSITIVE_INFINITY);
                assertFalse(model.step());
              }
            });
    assertTrue(ended.getMessage().contains("--precision bf16"), ended::getMessage);
    assertEquals(0x1p-26, model.step.scaler().scale());
  }

  @Test
  void inOtherPrecisionsNothingIsScaledAndInfinityIsTheCallersBusiness() {
    Model model = new Model(Precision.BF16, 0);
    Tensor loss = Tensors.of(new float[] {1.5f}, 1);
    assertEquals(1.5, model.step.scaled(loss).item_float());
    model.gradients(0, Double.POSITIVE_INFINITY);
    assertTrue(model.step());
    Model scaling = new Model(Precision.FP16, 0);
    assertEquals(1.5 * 65536, scaling.step.scaled(loss).item_float());
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.25, 3, 1e5})
  void clippingIsTorchsOwn(double largest) {
    Model ours = new Model(Precision.FP32, largest);
    Model torchs = new Model(Precision.FP32, 0);
    for (int n = 0; n < 3; n++) {
      ours.gradients(n, 1);
      torchs.gradients(n, 1);
      Tensor[] all = torchs.parameters.values().toArray(new Tensor[0]);
      torch.clip_grad_norm_(new TensorVector(all), largest);
      assertTrue(ours.step());
      assertTrue(torchs.step());
      for (String name : new String[] {"kernel", "bias"}) {
        assertBitEqual(name, torchs.parameters.get(name).grad(), ours.parameters.get(name).grad());
      }
    }
    assertEqualModels(torchs, ours);
  }
}
