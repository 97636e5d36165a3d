package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;
import static org.repopt4j.testkit.TensorAsserts.assertRelative;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.BlockScales;
import org.repopt4j.nn.BlockSpec;
import org.repopt4j.nn.Network;
import org.repopt4j.nn.Scales;
import org.repopt4j.optim.Engine;
import org.repopt4j.optim.ParameterGroups;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.Golden;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.testkit.TestDevice;

/** Whole training, network and all, against 12 steps of the official Python code. */
@Tag("device")
@ExtendWith(OneThread.class)
class GoldenTrainingTest {
  private static final Architecture TINY =
      Architecture.custom(
          List.of(1, 2, 2, 1), List.of(0.125, 0.125, 0.125, 0.125), List.of(2, 2, 2, 2, 2));

  private static Scales scales(Golden golden) {
    List<BlockScales> blocks = new ArrayList<>();
    for (BlockSpec spec : TINY.blocks()) {
      Map<String, float[]> values = new LinkedHashMap<>();
      for (String name : spec.scaleNames()) {
        String recorded = name.replace("scale_", "").replace(".weight", "");
        values.put(
            name, Tensors.toFloats(golden.tensor("scale." + blocks.size() + "." + recorded)));
      }
      blocks.add(BlockScales.of(spec.name(), values));
    }
    return Scales.of(TINY, blocks);
  }

  private static Network target(Golden golden) {
    Network network = TINY.target(Integer.parseInt(golden.metadata("num_classes")));
    network.to(TestDevice.get(), /* non_blocking= */ false);
    return network;
  }

  private static RepOptimizer optimizer(
      Golden golden, Network network, GradMults mults, Engine engine)
      throws JsonProcessingException {
    JsonNode hyper = new ObjectMapper().readTree(golden.metadata("hyper"));
    double lr = hyper.get("lr").asDouble();
    var groups =
        ParameterGroups.official(network.namedParameters(), hyper.get("weight_decay").asDouble());
    return golden.metadata("rule").equals("sgd")
        ? RepOptimizer.sgd(groups)
            .lr(lr)
            .momentum(hyper.get("momentum").asDouble())
            .nesterov(hyper.get("nesterov").asBoolean())
            .gradMults(mults)
            .engine(engine)
            .build()
        : RepOptimizer.adamw(groups)
            .lr(lr)
            .betas(hyper.get("betas").get(0).asDouble(), hyper.get("betas").get(1).asDouble())
            .eps(hyper.get("eps").asDouble())
            .rule(UpdateRule.ADAMW_OFFICIAL)
            .gradMults(mults)
            .engine(engine)
            .build();
  }

  /**
   * The official code rounds as MULTI_TENSOR does. FUSED rounds less often, and twelve steps
   * through ReLUs make more of the difference; so do another device's convolutions.
   */
  private static void train(Golden golden, Network network, GradMults mults, Engine engine)
      throws JsonProcessingException {
    double lossBound = engine == Engine.FUSED ? 1e-3 : TestDevice.bound(1e-4, 1e-3);
    double finalBound = engine == Engine.FUSED ? 0.1 : TestDevice.bound(1e-3, 0.1);
    RepOptimizer optimizer = optimizer(golden, network, mults, engine);
    Tensor inputs = golden.tensor("inputs");
    Tensor targets = golden.tensor("targets");
    double[] losses = Tensors.toDoubles(golden.tensor("losses"));
    assertEquals(12, losses.length);
    for (int t = 0; t < losses.length; t++) {
      try (StepScope scope = StepScope.open()) {
        Tensor loss =
            Losses.crossEntropy(
                network.forward(inputs.select(0, t)), targets.select(0, t), /* smoothing= */ 0);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        assertEquals(losses[t], loss.item_float(), lossBound * losses[t], "loss of step " + t);
      }
      if (t == 0) {
        compare(golden, "step1.", network.stateDict(), TestDevice.bound(1e-5, 1e-3));
      }
    }
    compare(golden, "final.", network.stateDict(), finalBound);
  }

  private static void compare(
      Golden golden, String prefix, Map<String, Tensor> actual, double tolerance) {
    Map<String, Tensor> expected = golden.tensors(prefix);
    assertEquals(expected.keySet(), actual.keySet());
    expected.forEach(
        (name, tensor) -> assertRelative(prefix + name, tolerance, tensor, actual.get(name)));
  }

  static List<Arguments> cases() {
    List<Arguments> cases = new ArrayList<>();
    for (String file : List.of("sgd-idscale", "sgd-noidscale", "adamw-idscale")) {
      for (Engine engine : Engine.values()) {
        cases.add(Arguments.of(file, engine));
      }
    }
    return cases;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void fromTheRecordedBeginning(String file, Engine engine) throws JsonProcessingException {
    Golden golden = Golden.read("vgg-tiny-" + file + "-train.safetensors");
    Network network = target(golden);
    network.loadStateDict(golden.tensors("reinit."), /* strict= */ true);
    // A trained network keeps its weights; the Grad Mults come from the scales alone.
    train(golden, network, network.gradMults(scales(golden)), engine);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void throughTheRuleOfInitialization(String file, Engine engine) throws JsonProcessingException {
    Golden golden = Golden.read("vgg-tiny-" + file + "-train.safetensors");
    Network network = target(golden);
    network.loadStateDict(golden.tensors("before."), /* strict= */ true);
    List<Tensor> fresh = new ArrayList<>();
    for (int i = 0; i < TINY.blocks().size(); i++) {
      fresh.add(golden.tensor("fresh1x1." + i));
    }
    boolean useIdentityScales = golden.metadata("use_identity_scales").equals("True");

    GradMults mults = network.reinitialize(scales(golden), useIdentityScales, fresh);

    Map<String, Tensor> state = network.stateDict();
    golden
        .tensors("reinit.")
        .forEach((name, expected) -> assertBitEqual(name, expected, state.get(name)));
    train(golden, network, mults, engine);
  }
}
