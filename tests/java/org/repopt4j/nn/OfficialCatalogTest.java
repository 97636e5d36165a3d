package org.repopt4j.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.opentest4j.TestAbortedException;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.Golden;

/** Names, order, shapes, initial values and Grad Mults of the official networks. */
class OfficialCatalogTest {
  private static final JsonNode CATALOG = catalog();

  private static JsonNode catalog() {
    try {
      return Golden.json("official-catalog.json");
    } catch (TestAbortedException absent) {
      return null;
    }
  }

  static Stream<String> models() {
    return names("models", name -> !name.contains("-L"));
  }

  static Stream<String> largeModels() {
    return names("models", name -> name.contains("-L"));
  }

  static Stream<String> releases() {
    return names("released_scales", name -> !name.contains("-L"));
  }

  static Stream<String> largeReleases() {
    return names("released_scales", name -> name.contains("-L"));
  }

  private static Stream<String> names(String section, Predicate<String> wanted) {
    if (CATALOG == null) {
      return Stream.of("absent"); // the test itself is then skipped
    }
    List<String> names = new ArrayList<>();
    CATALOG.get(section).fieldNames().forEachRemaining(names::add);
    return names.stream().filter(wanted);
  }

  @ParameterizedTest
  @MethodSource("models")
  void networkIsTheOfficialOne(String name) {
    check(name);
  }

  @Tag("slow")
  @ParameterizedTest
  @MethodSource("largeModels")
  void largeNetworkIsTheOfficialOne(String name) {
    check(name);
  }

  private static void check(String name) {
    JsonNode expected = Golden.json("official-catalog.json").get("models").get(name);
    int dash = name.lastIndexOf('-');
    Mode mode = Mode.parse(name.substring(dash + 1));
    Architecture architecture = Architecture.named(name.substring(0, dash));
    int classes = mode == Mode.HS && name.contains("VGG") ? 100 : 1000;

    Natives.manualSeed(0);
    Network network = architecture.build(mode, classes);
    try (StepScope scope = StepScope.open()) {
      assertEquals(expected.get("params").asLong(), network.parameterCount());
      assertEquals(expected.get("params").asLong(), architecture.parameters(mode, classes));
      assertEquals(expected.get("tensors").asInt(), network.stateDict().size());
      if (expected.has("state")) {
        checkState(expected.get("state"), network.stateDict());
      }
    } finally {
      network.close();
    }
  }

  private static void checkState(JsonNode expected, Map<String, Tensor> state) {
    List<String> names = new ArrayList<>();
    expected.fieldNames().forEachRemaining(names::add);
    assertEquals(names, ImmutableList.copyOf(state.keySet()));
    state.forEach(
        (name, tensor) -> {
          JsonNode one = expected.get(name);
          long[] shape = new long[one.get("shape").size()];
          for (int i = 0; i < shape.length; i++) {
            shape[i] = one.get("shape").get(i).asLong();
          }
          assertArrayEquals(shape, Tensors.shape(tensor), name);
          float[] values =
              Tensors.toFloats(
                  tensor.reshape(-1).slice(0, new LongOptional(), new LongOptional(3), 1));
          for (int i = 0; i < one.get("first").size(); i++) {
            assertEquals((float) one.get("first").get(i).asDouble(), values[i], 0f, name);
          }
          assertSum(name, one.get("sum").asDouble(), tensor);
        });
  }

  private static void assertSum(String what, double expected, Tensor tensor) {
    Tensor exact = tensor.detach().to(Tensors.cpu(), ScalarType.Double);
    double size = Math.max(exact.abs().sum().item_double(), 1e-30);
    double error = Math.abs(exact.sum().item_double() - expected) / size;
    assertTrue(error <= 1e-12, what + ": sum is off by " + error);
  }

  @ParameterizedTest
  @MethodSource("releases")
  void releasedScalesGiveTheOfficialGradMultsAndKernels(String name) {
    checkRelease(name);
  }

  @Tag("slow")
  @ParameterizedTest
  @MethodSource("largeReleases")
  void largeReleasedScalesGiveTheOfficialGradMultsAndKernels(String name) {
    checkRelease(name);
  }

  private static void checkRelease(String name) {
    JsonNode expected = Golden.json("official-catalog.json").get("released_scales").get(name);
    Architecture architecture = Architecture.named(name);
    Scales scales = Scales.fromStateDict(ReleasedScales.read(name), architecture);
    int negative = 0;
    int total = 0;
    for (BlockScales block : scales.blocks()) {
      for (String scale : block.names()) {
        for (float value : block.values(scale)) {
          negative += value < 0 ? 1 : 0;
          total++;
        }
      }
    }
    assertEquals(expected.get("negative").asInt(), negative);
    assertEquals(expected.get("total").asInt(), total);

    Natives.manualSeed(0);
    Network network = architecture.target(1000);
    try (StepScope scope = StepScope.open()) {
      GradMults mults = network.reinitialize(scales);
      for (PlacedBlock block : network.cslaBlocks(scales)) {
        String weight = specOf(architecture, block.name()).weightName();
        checkMult(expected.get("grad_mult_sgd"), weight, mults, block, UpdateRule.SGD);
        checkMult(expected.get("grad_mult_adamw"), weight, mults, block, UpdateRule.ADAMW_OFFICIAL);
        assertSum(
            weight, expected.get("reinit_seed0").get(weight).get("sum").asDouble(), block.weight());
      }
    } finally {
      network.close();
    }
  }

  private static void checkMult(
      JsonNode expected, String weight, GradMults mults, PlacedBlock block, UpdateRule rule) {
    if (expected == null) {
      return;
    }
    try (StepScope scope = StepScope.open()) {
      Tensor dense = mults.of(block.weight()).orElseThrow().dense(rule);
      JsonNode one = expected.get(weight);
      assertSum(weight, one.get("sum").asDouble(), dense);
      assertEquals(one.get("min").asDouble(), dense.min().item_float());
      assertEquals(one.get("max").asDouble(), dense.max().item_float());
    }
  }

  private static BlockSpec specOf(Architecture architecture, String name) {
    return architecture.blocks().stream()
        .filter(spec -> spec.name().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
