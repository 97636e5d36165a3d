package org.repopt4j.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.repopt4j.runtime.Tensors;

class ScalesTest {
  private static final Architecture TINY = GoldenVgg.TINY;

  @Test
  void stateDictRoundTripsInTheNetworksOrderAndOtherEntriesDoNotMatter() {
    Scales scales = NetworkTest.someScales();
    Map<String, Tensor> state = new LinkedHashMap<>(TINY.hs(10).stateDict());
    ImmutableList<String> order =
        state.keySet().stream()
            .filter(name -> name.contains("scale_"))
            .collect(ImmutableList.toImmutableList());
    assertEquals(order, ImmutableList.copyOf(scales.toStateDict().keySet()));
    state.putAll(scales.toStateDict());
    assertEquals(scales, Scales.fromStateDict(state, TINY));
    assertNotEquals(scales, Scales.of(TINY.hs(10)));
  }

  @Test
  void ghostScalesRoundTrip() {
    Architecture half = Architecture.named("RepOpt-GhostNet-0.5x");
    Scales scales = Scales.of(half.hs(10));
    assertEquals(32, scales.blocks().size());
    assertEquals(scales, Scales.fromStateDict(scales.toStateDict(), half));
    assertEquals(
        (float) Math.sqrt(2.0 / 3),
        scales.block("blocks.0.0.ghost2").values("cheap_operation.1.weight")[0]);
  }

  @Test
  void theFirstBlockThatDoesNotFitIsNamed() {
    refused("block stage2.1 lacks scale_1x1.weight", without("stage2.1.scale_1x1.weight"));
    Map<String, Tensor> withoutBlock = without("stage1.0.scale_1x1.weight");
    withoutBlock.remove("stage1.0.scale_conv.weight");
    refused("block stage1.0 has none", withoutBlock);
    refused(
        "block stage3.1 needs 32 values of scale_identity.weight, got 16",
        with("stage3.1.scale_identity.weight", new float[16]));
    refused(
        "block stage1.0 has no scale_identity.weight there",
        with("stage1.0.scale_identity.weight", new float[8]));
    refused("there is no block stage2.2", with("stage2.2.scale_conv.weight", new float[16]));
    float[] infinite = new float[8];
    infinite[5] = Float.POSITIVE_INFINITY;
    refused(
        "stage0.scale_conv.weight is Infinity at output channel 5",
        with("stage0.scale_conv.weight", infinite));
    refused("no scales among the", TINY.target(10).stateDict());
    refused("block blocks.0.0.ghost1 lacks fusion_scale.weight", "RepOpt-GhostNet-0.5x", "rep");
  }

  private static void refused(String message, String architecture, String mode) {
    Architecture named = Architecture.named(architecture);
    Map<String, Tensor> state = named.build(Mode.parse(mode), 10).stateDict();
    assertMessage(message, () -> Scales.fromStateDict(state, named));
  }

  private static void refused(String message, Map<String, Tensor> state) {
    assertMessage(message, () -> Scales.fromStateDict(state, TINY));
  }

  private static void assertMessage(String message, Executable reading) {
    IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, reading);
    assertTrue(refused.getMessage().contains(message), refused.getMessage());
  }

  private static Map<String, Tensor> without(String name) {
    Map<String, Tensor> state = NetworkTest.someScales().toStateDict();
    state.remove(name);
    return state;
  }

  private static Map<String, Tensor> with(String name, float[] values) {
    Map<String, Tensor> state = NetworkTest.someScales().toStateDict();
    state.put(name, Tensors.of(values, values.length));
    return state;
  }

  @Test
  void valuesAreCopiedInAndOut() {
    float[] values = {1, 2};
    BlockScales scales = BlockScales.of("stage0", ImmutableMap.of("scale_conv.weight", values));
    values[0] = 9;
    scales.values("scale_conv.weight")[1] = 9;
    assertEquals(1f, scales.values("scale_conv.weight")[0]);
    assertEquals(2f, scales.values("scale_conv.weight")[1]);
    assertThrows(IllegalArgumentException.class, () -> scales.values("scale_1x1.weight"));
  }

  @Test
  void scalesAreReadFromNetworksThatHaveThem() {
    Network target = TINY.target(10);
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> Scales.of(target));
    assertTrue(refused.getMessage().endsWith("got: target"), refused.getMessage());
  }
}
