package org.repopt4j.crosscheck;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.io.TensorFile;
import org.repopt4j.runtime.StepScope;

/**
 * The training of a {@link NetworkCase}: with Grad Mults by the case's rule in both number formats,
 * and without by a plain optimizer.
 *
 * <p>Float64 has a tolerance of 1e-9, which only rounding fits into. The first step is also
 * compared by itself, as the change of the weights relative to the size of that change, because
 * weights hide what is done to them when the learning rate is small. Float32 has 1e-5 up to and
 * with the first step, 1e-4 after the last one, when rounding has grown.
 */
final class NetworkTraining {
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
  private final Function<String, Subject> build;
  private final Map<String, Tensor> searched;
  private final long seed;

  /**
   * The training of a case.
   *
   * @param build makes the case's network of a mode
   * @param searched the state of the hyper-search network, whose scales are used
   */
  NetworkTraining(
      JsonNode json,
      TensorFile official,
      Findings findings,
      Function<String, Subject> build,
      Map<String, Tensor> searched) {
    this.json = json;
    this.official = official;
    this.findings = findings;
    this.build = build;
    this.searched = searched;
    this.seed = json.get("seed").asLong();
  }

  void run() {
    UpdateRule rule =
        json.get("rule").asText().equals("sgd") ? UpdateRule.SGD : UpdateRule.ADAMW_OFFICIAL;
    training(rule, ScalarType.Float, 32);
    training(rule, ScalarType.Double, 64);
    if (rule == UpdateRule.ADAMW_OFFICIAL) {
      exact();
    }
    plain(rule == UpdateRule.SGD ? rule : UpdateRule.ADAMW_EXACT);
  }

  private Map<String, List<Tensor>> train(UpdateRule rule, ScalarType type, Subject subject) {
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
        Subject subject = build.apply("target")) {
      Map<String, List<Tensor>> seen = train(rule, type, subject);
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
        Subject subject = build.apply("target")) {
      Map<String, List<Tensor>> seen = train(UpdateRule.ADAMW_EXACT, ScalarType.Double, subject);
      findings.onPurpose(
          "weights after the last step",
          "adamw exact",
          Difference.of(seen.get("final"), official.tensor("run64.final")),
          "the exact rule trains as the CSLA block does where scales of both signs meet; the"
              + " official rule does not");
    }
  }

  /** Modes that are trained without Grad Mults: hyper-search, the CSLA block, the baseline. */
  private void plain(UpdateRule rule) {
    String mode = json.get("plain_mode").asText();
    try (StepScope scope = StepScope.open();
        Subject subject = build.apply(mode)) {
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
