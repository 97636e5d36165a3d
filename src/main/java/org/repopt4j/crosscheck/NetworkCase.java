package org.repopt4j.crosscheck;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.io.TensorFile;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * A random network in all its modes: initial values, weight-decay groups, forward passes, the rule
 * of initialization, Grad Mults and {@link NetworkTraining training}.
 *
 * <p>Float64 shows whether the same is computed, with a tolerance that only rounding fits into:
 * 1e-11 for a forward pass. Float32 shows that the kernels for it do the same: 1e-5. {@link
 * Difference} says what is measured.
 */
final class NetworkCase {
  private static final double FORWARD_TOLERANCE = 1e-11;
  private static final double SINGLE_TOLERANCE = 1e-5;

  private final JsonNode json;
  private final TensorFile official;
  private final Findings findings;
  private final BiFunction<JsonNode, String, Subject> subjects;
  private final long seed;
  private final Map<String, Tensor> searched = new LinkedHashMap<>();

  NetworkCase(JsonNode json, TensorFile official, Findings findings) {
    this(json, official, findings, Subject::of);
  }

  /**
   * A case whose networks are made by somebody else.
   *
   * @param subjects from the case and a mode
   */
  NetworkCase(
      JsonNode json,
      TensorFile official,
      Findings findings,
      BiFunction<JsonNode, String, Subject> subjects) {
    this.json = json;
    this.subjects = subjects;
    this.official = official;
    this.findings = findings;
    this.seed = json.get("seed").asLong();
  }

  private Subject build(String mode) {
    Natives.manualSeed(seed);
    return subjects.apply(json, mode);
  }

  void run() {
    for (String mode : Values.texts(json.get("modes"))) {
      try (StepScope scope = StepScope.open();
          Subject subject = build(mode)) {
        findings.bitEqual(
            "initial values",
            mode,
            TensorHash.compare(subject.state(), json.get("init").get(mode)));
        WeightDecayGroups.compare(findings, mode, subject, json.get("groups").get(mode));
        subject.fill(new Draws(seed), mode);
        if (mode.equals("hs")) {
          subject.state().forEach((name, t) -> searched.put(name, scope.keep(t.detach().clone())));
        }
        forward(subject, mode);
      }
    }
    for (boolean identity : new boolean[] {true, false}) {
      reinitialization(identity);
    }
    new NetworkTraining(json, official, findings, this::build, searched).run();
  }

  private void forward(Subject subject, String mode) {
    Tensor images = new Draws(seed).between("forward", -1.7, 1.7, Values.shape(json.get("image")));
    Map<String, Tensor> before = new LinkedHashMap<>();
    subject.state().forEach((name, tensor) -> before.put(name, tensor.detach().clone()));
    for (int bits : new int[] {32, 64}) {
      try (StepScope scope = StepScope.open();
          NoGrad noGrad = NoGrad.open()) {
        if (bits == 64) {
          // The float32 pass in training mode has moved the running statistics.
          subject.state().forEach((name, tensor) -> tensor.copy_(before.get(name)));
          subject.toDouble();
        }
        Tensor input = images.to(Tensors.cpu(), bits == 64 ? ScalarType.Double : ScalarType.Float);
        subject.training(false);
        compareForward(mode, "eval", bits, List.of(subject.logits(input)));
        subject.training(true);
        compareForward(mode, "train", bits, List.of(subject.logits(input)));
        compareForward(mode, "stats", bits, statistics(subject));
      }
    }
  }

  private static List<Tensor> statistics(Subject subject) {
    return subject.state().entrySet().stream()
        .filter(entry -> entry.getKey().contains("running_"))
        .map(Map.Entry::getValue)
        .collect(toImmutableList());
  }

  private void compareForward(String mode, String what, int bits, List<Tensor> ours) {
    String words = what.equals("stats") ? "running statistics" : "forward " + what;
    compare(words, mode, mode + "." + what, bits, ours, FORWARD_TOLERANCE);
  }

  private void compare(
      String words, String detail, String key, int bits, List<Tensor> ours, double tolerance) {
    Difference difference = Difference.of(ours, official.tensor(key + bits).flatten());
    findings.within(
        words + ", float" + bits, detail, difference, bits == 64 ? tolerance : SINGLE_TOLERANCE);
  }

  private void reinitialization(boolean identity) {
    try (StepScope scope = StepScope.open();
        Subject subject = build("target")) {
      subject.reinitialize(searched, identity);
      findings.bitEqual(
          "re-initialisation",
          "identities from " + (identity ? "their scales" : "1"),
          Difference.of(subject.floating(), official.tensor("reinit" + (identity ? 1 : 0))));
      if (identity) {
        GradMults mults = subject.gradMults(searched);
        gradMults("sgd", UpdateRule.SGD, subject, mults);
        gradMults("adamw", UpdateRule.ADAMW_OFFICIAL, subject, mults);
      }
    }
  }

  private void gradMults(String name, UpdateRule rule, Subject subject, GradMults mults) {
    List<Tensor> dense =
        subject.parameters().values().stream()
            .flatMap(parameter -> mults.of(parameter).stream())
            .map(mult -> mult.dense(rule))
            .collect(toImmutableList());
    findings.bitEqual("Grad Mults", name, Difference.of(dense, official.tensor("mult." + name)));
  }
}
