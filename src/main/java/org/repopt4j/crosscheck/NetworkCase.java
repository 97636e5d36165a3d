package org.repopt4j.crosscheck;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
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
 * of initialization, Grad Mults and training.
 *
 * <p>Float64 shows whether the same is computed, with tolerances that only rounding fits into:
 * 1e-11 for a forward pass, 1e-9 in training. The first step is also compared by itself, as the
 * change of the weights relative to the size of that change, because weights hide what is done to
 * them when the learning rate is small. Float32 shows that the kernels for it do the same: 1e-5 up
 * to and with the first step, 1e-4 after the last one, when rounding has grown. {@link Difference}
 * says what is measured.
 */
final class NetworkCase {
  private static final double FORWARD_TOLERANCE = 1e-11;
  private static final double TRAINING_TOLERANCE = 1e-9;
  private static final double STEP_TOLERANCE = 1e-5;
  private static final double SINGLE_TOLERANCE = 1e-5;
  private static final double SINGLE_TRAINING_TOLERANCE = 1e-4;
  private static final ImmutableSet<String> FIRST_STEP = ImmutableSet.of("grad", "step1");
  private static final ImmutableMap<String, String> TRAINING =
      ImmutableMap.<String, String>builder()
          .put("grad", "gradients of the first step")
          .put("step1", "weights after the first step")
          .put("losses", "losses")
          .put("final", "weights after the last step")
          .put("momentum_buffer", "momentum buffers")
          .put("exp_avg", "exp_avg")
          .put("exp_avg_sq", "exp_avg_sq")
          .buildOrThrow();

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
    UpdateRule rule =
        json.get("rule").asText().equals("sgd") ? UpdateRule.SGD : UpdateRule.ADAMW_OFFICIAL;
    training(rule, ScalarType.Float, 32);
    training(rule, ScalarType.Double, 64);
    if (rule == UpdateRule.ADAMW_OFFICIAL) {
      exact();
    }
    plain(rule == UpdateRule.SGD ? rule : UpdateRule.ADAMW_EXACT);
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

  private Map<String, List<Tensor>> run(UpdateRule rule, ScalarType type, Subject subject) {
    subject.reinitialize(searched, json.get("identity_scales").asBoolean());
    GradMults mults = subject.gradMults(searched);
    if (type == ScalarType.Double) {
      subject.toDouble();
    }
    return TrainingRun.of(json, subject, type, rule, mults);
  }

  private void training(UpdateRule rule, ScalarType type, int bits) {
    String words = rule == UpdateRule.SGD ? "sgd" : "adamw";
    try (StepScope scope = StepScope.open();
        Subject subject = build("target")) {
      Map<String, List<Tensor>> seen = run(rule, type, subject);
      TRAINING.forEach(
          (key, name) -> {
            if (official.tensors().containsKey("run" + bits + "." + key)) {
              trained(name, words, key, bits, seen.getOrDefault(key, List.of()));
            }
          });
      if (bits == 64) {
        firstStep(words, seen);
        findings.onPurpose(
            "gradients left after step()",
            words,
            Difference.of(seen.get("gradafter"), official.tensor("run64.gradafter")),
            "the official optimizer changes p.grad in place, this one never does");
      }
    }
  }

  private void trained(String words, String rule, String key, int bits, List<Tensor> ours) {
    Difference difference = Difference.of(ours, official.tensor("run" + bits + "." + key));
    double single = FIRST_STEP.contains(key) ? SINGLE_TOLERANCE : SINGLE_TRAINING_TOLERANCE;
    findings.within(
        words + ", float" + bits, rule, difference, bits == 64 ? TRAINING_TOLERANCE : single);
  }

  private void firstStep(String rule, Map<String, List<Tensor>> seen) {
    List<Tensor> starts = seen.get("start");
    List<Tensor> ends = seen.get("step1");
    List<Tensor> ours = new ArrayList<>();
    for (int i = 0; i < starts.size(); i++) {
      ours.add(ends.get(i).sub(starts.get(i)));
    }
    // Both sides start from the same bits, which the re-initialisation's comparison shows.
    TensorVector flat = new TensorVector();
    starts.forEach(start -> flat.push_back(start.flatten()));
    Tensor theirs = official.tensor("run64.step1").sub(torch.cat(flat));
    findings.within(
        "change of the weights in the first step, float64",
        rule,
        Difference.of(ours, theirs),
        STEP_TOLERANCE);
  }

  private void exact() {
    try (StepScope scope = StepScope.open();
        Subject subject = build("target")) {
      Map<String, List<Tensor>> seen = run(UpdateRule.ADAMW_EXACT, ScalarType.Double, subject);
      findings.onPurpose(
          "weights after the last step",
          "adamw exact",
          Difference.of(seen.get("final"), official.tensor("run64.final")),
          "the exact rule trains as the CSLA block does where scales of both signs meet; the official rule does not");
    }
  }

  /** Modes that are trained without Grad Mults: hyper-search, the CSLA block, the baseline. */
  private void plain(UpdateRule rule) {
    String mode = json.get("plain_mode").asText();
    try (StepScope scope = StepScope.open();
        Subject subject = build(mode)) {
      subject.fill(new Draws(seed + 1), mode);
      subject.toDouble();
      // The official training script gives SGD Nesterov's momentum whatever is configured.
      JsonNode settings =
          ((ObjectNode) json.deepCopy()).put("nesterov", true).put("dampening", 0.0);
      Map<String, List<Tensor>> seen =
          TrainingRun.of(settings, subject, ScalarType.Double, rule, GradMults.none());
      for (String key : List.of("losses", "final")) {
        findings.within(
            TRAINING.get(key) + ", plain optimizer, float64",
            mode,
            Difference.of(seen.get(key), official.tensor("plain." + key)),
            TRAINING_TOLERANCE);
      }
    }
  }
}
