package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;

import java.util.List;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class OperatorsTest {
  private final Tensor a = Tensors.of(new float[] {1, 2}, 2);
  private final Tensor b = Tensors.of(new float[] {3, 4, 5}, 3);

  @Test
  void multipliesListsInPlace() {
    Tensor c = Tensors.of(new float[] {10, 100}, 2);
    Tensor d = Tensors.of(new float[] {2, 3, 4}, 3);
    Operators.call(
        "aten::_foreach_mul_",
        "List",
        Operators.list(List.of(a, b)),
        Operators.list(List.of(c, d)));
    assertArrayEquals(new float[] {10, 200}, Tensors.toFloats(a));
    assertArrayEquals(new float[] {6, 12, 20}, Tensors.toFloats(b));
  }

  @Test
  void addsANumberInPlace() {
    Operators.call(
        "aten::_foreach_add_", "Scalar", Operators.list(List.of(a, b)), Operators.value(0.5));
    assertArrayEquals(new float[] {1.5f, 2.5f}, Tensors.toFloats(a));
    assertArrayEquals(new float[] {3.5f, 4.5f, 5.5f}, Tensors.toFloats(b));
  }

  @Test
  void aListMayBeKeptAndUsedAgain() {
    IValue list;
    try (StepScope scope = StepScope.open()) {
      list = Retained.retain(Operators.list(List.of(a, b)));
    }
    for (int i = 0; i < 3; i++) {
      try (StepScope scope = StepScope.open()) {
        Operators.call("aten::_foreach_add_", "Scalar", list, Operators.value(1.0));
      }
    }
    assertArrayEquals(new float[] {4, 5}, Tensors.toFloats(a));
  }

  @Test
  void anOverloadMayHaveNoNameAndAnArgumentMayBeAbsent() {
    Tensor gradient = Tensors.of(new float[] {1, 1}, 2);
    Operators.call(
        "aten::_fused_sgd_",
        "",
        Operators.list(List.of(a)),
        Operators.list(List.of(gradient)),
        Operators.list(List.of()),
        Operators.value(0.5),
        Operators.value(0.0),
        Operators.value(0.25),
        Operators.value(0.0),
        Operators.value(false),
        Operators.value(false),
        Operators.value(true),
        Operators.none(),
        Operators.none());
    // w - lr (g + decay w) = 1 - 0.25 (1 + 0.5)
    assertArrayEquals(new float[] {0.625f, 1.5f}, Tensors.toFloats(a));
  }

  @Test
  void listsOfDifferentLengthsAreAnException() {
    IValue two = Operators.list(List.of(a, b));
    IValue one = Operators.list(List.of(a));
    RuntimeException error =
        assertThrows(
            RuntimeException.class, () -> Operators.call("aten::_foreach_mul_", "List", two, one));
    assertTrue(error.getMessage().contains("same number of tensors"), error.getMessage());
    assertArrayEquals(new float[] {1, 2}, Tensors.toFloats(a));
  }

  @Test
  void argumentsOfAWrongTypeAreAnException() {
    IValue list = Operators.list(List.of(a, b));
    assertThrows(
        RuntimeException.class,
        () -> Operators.call("aten::_foreach_mul_", "List", list, Operators.value(2.0)));
    assertThrows(
        RuntimeException.class,
        () -> Operators.call("aten::_foreach_add_", "Scalar", list, Operators.none()));
    assertArrayEquals(new float[] {1, 2}, Tensors.toFloats(a));
  }

  @Test
  void aWrongNumberOfArgumentsIsRefused() {
    IValue list = Operators.list(List.of(a, b));
    assertRefused(
        () -> Operators.call("aten::_foreach_mul_", "List", list),
        "aten::_foreach_mul_.List",
        "2 arguments",
        "got: 1");
    assertRefused(
        () -> Operators.call("aten::_foreach_mul_", "List", list, list, list),
        "2 arguments",
        "got: 3");
    assertRefused(() -> Operators.call("aten::_foreach_mul_", "List"), "2 arguments", "got: 0");
    assertArrayEquals(new float[] {1, 2}, Tensors.toFloats(a));
  }

  @Test
  void anUnknownOperatorIsAnException() {
    for (String[] unknown :
        new String[][] {
          {"aten::_foreach_nonsense_", "List"},
          {"aten::_foreach_mul_", "Nonsense"},
          {"nonsense", ""}
        }) {
      RuntimeException error =
          assertThrows(RuntimeException.class, () -> Operators.call(unknown[0], unknown[1]));
      assertTrue(error.getMessage().contains(unknown[0]), error.getMessage());
    }
  }
}
