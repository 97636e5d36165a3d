package org.repopt4j.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.optim.ParameterGroupsTest.parameter;

import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.junit.jupiter.api.Test;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

class RepOptimizerTest {
  private static final GradMult MULT =
      CslaBlock.of(KernelShape.of(2, 2, 1, 1)).conv(1, 1, 2.0).gradMult();

  @Test
  void aStepOfPlainSgdIsLearningRateTimesGradient() {
    Tensor p = parameter(3);
    p.mul(p).sum().backward();
    RepOptimizer sgd = RepOptimizer.sgd(List.of(p)).lr(0.25).build();
    sgd.step();
    assertArrayEquals(new float[] {0.5f, 0.5f, 0.5f}, Tensors.toFloats(p));
    sgd.step(0.125);
    assertArrayEquals(new float[] {0.25f, 0.25f, 0.25f}, Tensors.toFloats(p));
    assertEquals(0.125, sgd.learningRate());
    assertArrayEquals(new float[] {2, 2, 2}, Tensors.toFloats(p.grad()), "gradient is kept");
  }

  @Test
  void theGradMultComesBeforeWeightDecay() {
    Tensor p = parameter(2, 2, 1, 1);
    p.sum().backward();
    RepOptimizer.sgd(List.of(p)).lr(1).weightDecay(0.5).gradMult(p, MULT).build().step();
    // 1 - (4·1 + 0.5·1); were the decay multiplied too, it would be -5.
    assertArrayEquals(new float[] {-3.5f, -3.5f, -3.5f, -3.5f}, Tensors.toFloats(p));
  }

  @Test
  void aModuleAVectorAndAMapAreTrainedAlike() {
    Module module = new Module("Net");
    Tensor first = parameter(2);
    Tensor frozen = parameter(2);
    module.register_parameter("first", first, true);
    module.register_parameter("frozen", frozen, false);
    first.sum().backward();
    RepOptimizer sgd = RepOptimizer.sgd(module).momentum(0.9).build();
    sgd.step(0.5);
    assertArrayEquals(new float[] {0.5f, 0.5f}, Tensors.toFloats(first));
    assertArrayEquals(new float[] {1, 1}, Tensors.toFloats(frozen));
    assertEquals(java.util.Set.of("first.momentum_buffer"), sgd.state().tensors().keySet());

    Tensor second = parameter(2);
    second.sum().backward();
    RepOptimizer.sgd(new TensorVector(second)).build().step(0.5);
    assertArrayEquals(new float[] {0.5f, 0.5f}, Tensors.toFloats(second));

    Tensor third = parameter(2);
    third.sum().backward();
    RepOptimizer.adamw(Map.of("w", third)).weightDecay(0).build().step(0.5);
    assertArrayEquals(new float[] {0.5f, 0.5f}, Tensors.toFloats(third), 1e-6f);
  }

  @Test
  void aParameterWithoutGradientKeepsItsValueAndHasNoState() {
    for (Engine engine : Engine.values()) {
      Tensor used = parameter(2);
      Tensor unused = parameter(2);
      RepOptimizer adamw =
          RepOptimizer.adamw(List.of(used, unused)).weightDecay(0.1).engine(engine).build();
      used.sum().backward();
      adamw.step(0.1);
      assertArrayEquals(new float[] {1, 1}, Tensors.toFloats(unused));
      assertEquals(Map.of("0", 1L), adamw.state().steps());
      unused.sum().backward();
      adamw.step(0.1);
      assertEquals(Map.of("0", 2L, "1", 1L), adamw.state().steps());
    }
  }

  @Test
  void zeroGradDropsOrClears() {
    Tensor p = parameter(2);
    RepOptimizer sgd = RepOptimizer.sgd(List.of(p)).weightDecay(1).build();
    p.sum().backward();
    sgd.zeroGrad(false);
    assertArrayEquals(new float[] {0, 0}, Tensors.toFloats(p.grad()));
    sgd.step(0.5);
    assertArrayEquals(new float[] {0.5f, 0.5f}, Tensors.toFloats(p), "weight decay still holds");
    sgd.zeroGrad();
    assertFalse(p.grad().defined());
    sgd.step(0.5);
    assertArrayEquals(new float[] {0.5f, 0.5f}, Tensors.toFloats(p));
  }

  @Test
  void stateOutlivesTheScopeOfAStep() {
    Tensor p = parameter(2);
    RepOptimizer sgd;
    try (StepScope scope = StepScope.open()) {
      sgd = RepOptimizer.sgd(List.of(p)).momentum(0.5).build();
    }
    for (int i = 0; i < 3; i++) {
      try (StepScope scope = StepScope.open()) {
        sgd.zeroGrad();
        p.sum().backward();
        sgd.step(1);
      }
    }
    // 1 - (1 + 1.5 + 1.75)
    assertArrayEquals(new float[] {-3.25f, -3.25f}, Tensors.toFloats(p));
  }

  @Test
  void badHyperParametersAreRefusedWithTheValue() {
    Tensor p = parameter(2, 2, 1, 1);
    SgdBuilder sgd = RepOptimizer.sgd(List.of(p));
    assertRefused("momentum must be finite and >= 0, got: -0.1", () -> sgd.momentum(-0.1));
    assertRefused("learning rate must be finite", () -> sgd.lr(Double.POSITIVE_INFINITY));
    assertRefused("weight decay", () -> sgd.weightDecay(-1));
    assertRefused("Nesterov", () -> RepOptimizer.sgd(List.of(p)).nesterov(true).build());
    assertRefused(
        "dampening=0.1",
        () -> RepOptimizer.sgd(List.of(p)).momentum(0.9).dampening(0.1).nesterov(true).build());
    AdamWBuilder adamw = RepOptimizer.adamw(List.of(p));
    assertRefused("beta1 must be in [0, 1), got: 1.0", () -> adamw.betas(1, 0.9));
    assertRefused("beta2 must be in [0, 1), got: -0.1", () -> adamw.betas(0.9, -0.1));
    assertRefused("eps", () -> adamw.eps(-1e-8));
    assertRefused("got: SGD", () -> RepOptimizer.adamw(List.of(p)).rule(UpdateRule.SGD).build());
    assertRefused("learning rate", () -> RepOptimizer.sgd(List.of(p)).build().step(Double.NaN));
    ParameterGroups groups = ParameterGroups.of(ParameterGroup.of(Map.of("p", p), 0));
    assertRefused("their own weight decay", () -> RepOptimizer.sgd(groups).weightDecay(0.1));
  }

  @Test
  void parametersAndMultsThatDoNotFitTogetherAreRefused() {
    Tensor p = parameter(2, 2, 1, 1);
    Tensor other = parameter(2, 2, 1, 1);
    assertRefused("at least one", () -> RepOptimizer.sgd(List.<Tensor>of()).build());
    assertRefused("one and the same", () -> RepOptimizer.sgd(List.of(p, p)).build());
    assertRefused(
        "1 of the 2 Grad Mults",
        () ->
            RepOptimizer.sgd(List.of(p))
                .gradMults(GradMults.none().and(p, MULT))
                .gradMult(other, MULT)
                .build());
    assertRefused("shape", () -> RepOptimizer.sgd(List.of(p)).gradMult(parameter(3), MULT));
  }

  @Test
  void aSparseGradientIsRefusedBeforeAnythingChanges() {
    Tensor p = parameter(2, 2);
    Tensor q = parameter(2, 2);
    p.sum().backward();
    q.mutable_grad().put(Tensors.of(new float[] {1, 0, 0, 1}, 2, 2).to_sparse(2));
    RepOptimizer sgd = RepOptimizer.sgd(List.of(p, q)).lr(1).build();
    assertRefused("gradient of '1' is sparse", sgd::step);
    assertArrayEquals(new float[] {1, 1, 1, 1}, Tensors.toFloats(p));
  }

  private static void assertRefused(String part, Runnable call) {
    String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
    assertTrue(message.contains(part), message);
  }
}
