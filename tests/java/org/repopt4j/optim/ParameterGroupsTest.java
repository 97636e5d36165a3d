package org.repopt4j.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.repopt4j.runtime.Tensors;

class ParameterGroupsTest {
  static Tensor parameter(long... shape) {
    return Tensors.ones(ScalarType.Float, Tensors.cpu(), shape).requires_grad_(true);
  }

  private static List<String> names(ParameterGroup group) {
    return new ArrayList<>(group.parameters().keySet());
  }

  @Test
  void officialGroupingDecaysKernelsAndIdentityScalesOnly() {
    Map<String, Tensor> named = new LinkedHashMap<>();
    named.put("stage0.conv.weight", parameter(2, 3, 3, 3));
    named.put("stage0.bn.weight", parameter(2));
    named.put("stage0.bn.bias", parameter(2));
    named.put("stage1.0.scale_identity.weight", parameter(2));
    named.put("stage1.0.scale_1x1.weight", parameter(2));
    named.put("frozen.weight", parameter(2, 2).requires_grad_(false));
    named.put("head.bias", parameter(2, 2));
    named.put("head.weight", parameter(2, 2));

    ParameterGroups groups = ParameterGroups.official(named, 4e-5);

    assertEquals(2, groups.groups().size());
    assertEquals(
        List.of("stage0.conv.weight", "stage1.0.scale_identity.weight", "head.weight"),
        names(groups.groups().get(0)));
    assertEquals(4e-5, groups.groups().get(0).weightDecay());
    assertEquals(
        List.of("stage0.bn.weight", "stage0.bn.bias", "stage1.0.scale_1x1.weight", "head.bias"),
        names(groups.groups().get(1)));
    assertEquals(0.0, groups.groups().get(1).weightDecay());
  }

  @Test
  void aModulesParametersKeepTheirNamesAndOrder() {
    Module inner = new Module("Inner");
    inner.register_parameter("weight", parameter(2, 2), true);
    inner.register_parameter("bias", parameter(2), true);
    Module module = new Module("Outer");
    module.register_parameter("own", parameter(3, 3), true);
    module.register_module("inner", inner);

    ParameterGroups groups = ParameterGroups.official(module, 0.1);

    assertEquals(List.of("own", "inner.weight"), names(groups.groups().get(0)));
    assertEquals(List.of("inner.bias"), names(groups.groups().get(1)));
  }

  @Test
  void whatCannotBeTrainedIsRefused() {
    Tensor p = parameter(2);
    assertRefused("at least one parameter", () -> ParameterGroups.of());
    assertRefused(
        "one and the same parameter",
        () ->
            ParameterGroups.of(
                ParameterGroup.of(Map.of("a", p), 0), ParameterGroup.of(Map.of("b", p), 0)));
    assertRefused(
        "two parameters have the name 'a'",
        () ->
            ParameterGroups.of(
                ParameterGroup.of(Map.of("a", p), 0),
                ParameterGroup.of(Map.of("a", parameter(1)), 0)));
    assertRefused("not a leaf", () -> ParameterGroup.of(Map.of("a", p.mul(p)), 0));
    assertRefused("does not require", () -> ParameterGroup.of(Map.of("a", p.detach()), 0));
    assertRefused("undefined", () -> ParameterGroup.of(Map.of("a", new Tensor()), 0));
    assertRefused(
        "floating-point", () -> ParameterGroup.of(Map.of("a", Tensors.of(new long[] {1}, 1)), 0));
    assertRefused("got: -0.1", () -> ParameterGroup.of(Map.of("a", p), -0.1));
    assertRefused(
        "got: NaN", () -> ParameterGroup.of(Map.of("a", p), 0).withLearningRateScale(Double.NaN));
  }

  private static void assertRefused(String part, Runnable call) {
    String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
    assertTrue(message.contains(part), message);
  }
}
