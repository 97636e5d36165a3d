package org.repopt4j.csla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;

import org.bytedeco.pytorch.StringTensorDict;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

class GradMultsTest {
  private static final CslaBlock BLOCK = CslaBlock.of(KernelShape.of(2, 3, 1, 1)).conv(1, 1, 2.0);
  private static final GradMult MULT = BLOCK.gradMult();

  private static Tensor parameter() {
    return Tensors.of(new float[6], 2, 3, 1, 1);
  }

  @Test
  void noneHasNone() {
    assertEquals(0, GradMults.none().size());
    assertTrue(GradMults.none().of(parameter()).isEmpty());
  }

  @Test
  void aParameterFindsItsOwn() {
    Tensor first = parameter();
    Tensor second = parameter();
    Tensor third = parameter();
    GradMult other = BLOCK.conv(1, 1, 3.0).gradMult();
    GradMults mults = GradMults.none().and(first, MULT).and(second, other);
    assertSame(MULT, mults.of(first).orElseThrow());
    assertSame(other, mults.of(second).orElseThrow());
    assertTrue(mults.of(third).isEmpty());
    assertEquals(2, mults.size());
  }

  @Test
  void addingGivesANewObject() {
    GradMults one = GradMults.none().and(parameter(), MULT);
    Tensor second = parameter();
    assertEquals(2, one.and(second, MULT).size());
    assertEquals(1, one.size());
    assertTrue(one.of(second).isEmpty());
    assertEquals(0, GradMults.none().size());
  }

  @Test
  void twoJavaObjectsOverOneTensorShareAMult() {
    Tensor parameter = parameter();
    Tensor same = new Tensor(parameter);
    assertNotSame(parameter, same);
    GradMults mults = GradMults.none().and(parameter, MULT);
    assertSame(MULT, mults.of(same).orElseThrow());
    assertRefused(() -> mults.and(same, MULT), "[2, 3, 1, 1]", "already");
  }

  @Test
  void aModulesNamedParameterFindsTheMultOfItsField() {
    CslaConv2d module = BLOCK.module();
    GradMults mults = GradMults.none().and(module.kernels().get(0), MULT);
    StringTensorDict named = module.named_parameters();
    assertEquals("branch0", named.get(0).key().getString());
    assertSame(MULT, mults.of(named.get(0).value()).orElseThrow());
  }

  @Test
  void anIdentityIsNotReusedWhileItIsKnown() {
    GradMults mults = GradMults.none();
    try (StepScope scope = StepScope.open()) {
      mults = mults.and(parameter(), MULT);
    }
    for (int i = 0; i < 100; i++) {
      try (StepScope scope = StepScope.open()) {
        assertTrue(mults.of(parameter()).isEmpty(), "a new tensor was taken for the old one");
      }
    }
  }

  @Test
  void refusesAParameterOfAnotherShape() {
    Tensor parameter = Tensors.of(new float[6], 3, 2, 1, 1);
    assertRefused(() -> GradMults.none().and(parameter, MULT), "[2, 3, 1, 1]", "[3, 2, 1, 1]");
    Tensor vector = Tensors.of(new float[6], 6);
    assertRefused(() -> GradMults.none().and(vector, MULT), "[2, 3, 1, 1]", "[6]");
  }

  @Test
  void refusesTheSameParameterTwice() {
    Tensor parameter = parameter();
    GradMults mults = GradMults.none().and(parameter, MULT);
    assertRefused(() -> mults.and(parameter, MULT), "[2, 3, 1, 1]", "already");
  }
}
