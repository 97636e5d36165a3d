package org.repopt4j.crosscheck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.repopt4j.csla.GradMults;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;
import org.repopt4j.testkit.OneThread;

/**
 * Faults that somebody could put into the library, one after the other: the comparison with what
 * the official code computed must name every quantity that the fault changes, in both precisions.
 */
@ExtendWith(OneThread.class)
class MutationTest {
  private static final String STEP = "change of the weights in the first step, float64";

  /** A network whose scales are changed before they are used. */
  private record Faulty(
      Subject network,
      UnaryOperator<Map<String, Tensor>> toMults,
      UnaryOperator<Map<String, Tensor>> toKernels,
      UnaryOperator<Tensor> logitsChange)
      implements Subject {
    @Override
    public Tensor logits(Tensor images) {
      return logitsChange.apply(network.logits(images));
    }

    @Override
    public Map<String, Tensor> state() {
      return network.state();
    }

    @Override
    public Map<String, Tensor> parameters() {
      return network.parameters();
    }

    @Override
    public void training(boolean on) {
      network.training(on);
    }

    @Override
    public void toDouble() {
      network.toDouble();
    }

    @Override
    public GradMults gradMults(Map<String, Tensor> searched) {
      return network.gradMults(toMults.apply(searched));
    }

    @Override
    public void reinitialize(Map<String, Tensor> searched, boolean useIdentityScales) {
      network.reinitialize(toKernels.apply(searched), useIdentityScales);
    }

    @Override
    public void close() {
      network.close();
    }
  }

  private static Map<String, Tensor> each(Map<String, Tensor> all, UnaryOperator<Tensor> change) {
    Map<String, Tensor> changed = new LinkedHashMap<>();
    all.forEach((name, tensor) -> changed.put(name, change.apply(tensor)));
    return changed;
  }

  private static Map<String, Tensor> swapped(Map<String, Tensor> all) {
    Map<String, Tensor> changed = new LinkedHashMap<>(all);
    all.forEach(
        (name, tensor) -> {
          if (name.contains("scale_conv")) {
            String other = name.replace("scale_conv", "scale_1x1");
            changed.put(name, all.get(other));
            changed.put(other, tensor);
          }
        });
    return changed;
  }

  private static Set<String> departing(
      String id, Consumer<ObjectNode> change, BiFunction<JsonNode, String, Subject> subjects)
      throws IOException {
    JsonNode manifest =
        new ObjectMapper().readTree(CrosscheckTest.KEPT.resolve("manifest.json").toFile());
    for (JsonNode json : manifest.get("cases")) {
      if (json.get("id").asText().equals(id)) {
        ObjectNode changed = json.deepCopy();
        change.accept(changed);
        Findings findings = new Findings(id);
        try (TensorFile official =
            StateDicts.read(CrosscheckTest.KEPT.resolve(json.get("file").asText()))) {
          new NetworkCase(changed, official, findings, subjects).run();
        }
        return findings.all().stream()
            .filter(finding -> finding.verdict() == Verdict.DEPARTS)
            .map(Finding::quantity)
            .collect(Collectors.toSet());
      }
    }
    throw new AssertionError("there is no case " + id);
  }

  private static Arguments setting(
      String fault, String id, Consumer<ObjectNode> change, String... quantities) {
    return Arguments.of(fault, id, change, UnaryOperator.<Subject>identity(), Set.of(quantities));
  }

  private static Arguments network(
      String fault, String id, UnaryOperator<Subject> change, String... quantities) {
    Consumer<ObjectNode> none = json -> {};
    return Arguments.of(fault, id, none, change, Set.of(quantities));
  }

  private static UnaryOperator<Subject> mults(UnaryOperator<Map<String, Tensor>> change) {
    return s -> new Faulty(s, change, UnaryOperator.identity(), UnaryOperator.identity());
  }

  private static UnaryOperator<Subject> kernels(UnaryOperator<Map<String, Tensor>> change) {
    return s -> new Faulty(s, UnaryOperator.identity(), change, UnaryOperator.identity());
  }

  private static UnaryOperator<Subject> logits(UnaryOperator<Tensor> change) {
    return s -> new Faulty(s, UnaryOperator.identity(), UnaryOperator.identity(), change);
  }

  static Stream<Arguments> faults() {
    String last32 = "weights after the last step, float32";
    String last64 = "weights after the last step, float64";
    String first32 = "weights after the first step, float32";
    String first64 = "weights after the first step, float64";
    return Stream.of(
        setting("no fault", "vgg-01", json -> {}),
        setting("no fault", "ghost-01", json -> {}),
        setting("no fault", "vgg-02", json -> {}),
        setting("no fault", "ghost-02", json -> {}),
        network(
            "Grad Mults without the square",
            "vgg-01",
            mults(all -> each(all, scale -> scale.abs().sqrt())),
            "Grad Mults",
            STEP,
            first32,
            first64,
            last32,
            last64,
            "momentum buffers, float64"),
        network(
            "Grad Mults with swapped branches",
            "vgg-01",
            mults(MutationTest::swapped),
            "Grad Mults",
            STEP,
            first32,
            last64),
        network(
            "kernels with swapped branches",
            "vgg-02",
            kernels(MutationTest::swapped),
            "re-initialisation",
            "gradients of the first step, float32",
            last64),
        network(
            "no Grad Mults",
            "ghost-01",
            mults(all -> each(all, scale -> scale.mul(new Scalar(0)))),
            "Grad Mults",
            STEP,
            last64),
        network(
            "logits wrong in the fifth digit",
            "vgg-02",
            logits(y -> y.mul(new Scalar(1 + 2e-5))),
            "forward eval, float32",
            "forward eval, float64",
            "forward train, float32"),
        setting(
            "the other identity option",
            "vgg-01",
            json -> json.put("identity_scales", !json.get("identity_scales").asBoolean()),
            STEP,
            first32,
            "gradients of the first step, float32",
            last64),
        setting(
            "no weight decay",
            "vgg-01",
            json -> json.put("weight_decay", 0),
            STEP,
            first64,
            last64),
        setting(
            "no weight decay in AdamW",
            "vgg-02",
            json -> json.put("weight_decay", 0),
            STEP,
            first64,
            last64),
        setting(
            "another dampening",
            "ghost-02",
            json -> json.put("dampening", json.get("dampening").asDouble() + 0.01),
            last64,
            last32,
            "momentum buffers, float32",
            "momentum buffers, float64"),
        setting(
            "no Nesterov momentum",
            "vgg-01",
            json -> json.put("nesterov", false),
            STEP,
            first32,
            last32,
            last64),
        setting(
            "another momentum",
            "vgg-01",
            json -> json.put("momentum", json.get("momentum").asDouble() * 1.001),
            last64,
            "momentum buffers, float64"),
        setting(
            "another eps",
            "ghost-01",
            json -> json.put("eps", 0).put("eps_float32", 1.001e-3),
            STEP,
            first64,
            last64),
        setting(
            "another beta",
            "vgg-02",
            json -> json.withArray("betas").set(1, 0.995),
            "exp_avg_sq, float32",
            "exp_avg_sq, float64",
            last64));
  }

  @ParameterizedTest(name = "{0} in {1}")
  @MethodSource("faults")
  void everyFaultIsSeenWhereItActs(
      String fault,
      String id,
      Consumer<ObjectNode> change,
      UnaryOperator<Subject> network,
      Set<String> quantities)
      throws IOException {
    Set<String> departing =
        departing(id, change, (json, mode) -> network.apply(Subject.of(json, mode)));
    if (quantities.isEmpty()) {
      assertEquals(Set.of(), departing);
    } else {
      assertTrue(departing.containsAll(quantities), departing::toString);
    }
  }
}
