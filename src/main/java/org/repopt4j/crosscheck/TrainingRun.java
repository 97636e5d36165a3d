package org.repopt4j.crosscheck;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.collect.ImmutableList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.optim.ParameterGroups;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.optim.RepOptimizerBuilder;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.train.Losses;

/** Some steps of training; what was seen on the way is kept by quantity. */
final class TrainingRun {
  private static final List<String> BUFFERS =
      ImmutableList.of("momentum_buffer", "exp_avg", "exp_avg_sq");

  private final JsonNode json;
  private final Subject subject;
  private final ScalarType type;
  private final Map<String, List<Tensor>> seen = new LinkedHashMap<>();

  private TrainingRun(JsonNode json, Subject subject, ScalarType type) {
    this.json = json;
    this.subject = subject;
    this.type = type;
  }

  /**
   * Trains the subject, whose weights are of this type.
   *
   * @return {@code start}, {@code losses}, {@code grad}, {@code gradafter} and {@code step1} of the
   *     first step, {@code final}, and the optimizer's buffers; in the caller's scope
   */
  static Map<String, List<Tensor>> of(
      JsonNode json, Subject subject, ScalarType type, UpdateRule rule, GradMults mults) {
    TrainingRun run = new TrainingRun(json, subject, type);
    run.train(run.optimizer(rule).gradMults(mults).build());
    return run.seen;
  }

  private RepOptimizerBuilder<?> optimizer(UpdateRule rule) {
    ParameterGroups groups =
        ParameterGroups.official(subject.parameters(), json.get("weight_decay").asDouble());
    RepOptimizerBuilder<?> builder =
        rule == UpdateRule.SGD
            ? RepOptimizer.sgd(groups)
                .momentum(json.get("momentum").asDouble())
                .dampening(json.get("dampening").asDouble())
                .nesterov(json.get("nesterov").asBoolean())
            : RepOptimizer.adamw(groups)
                .betas(json.get("betas").get(0).asDouble(), json.get("betas").get(1).asDouble())
                .eps(json.get(type == ScalarType.Float ? "eps_float32" : "eps").asDouble())
                .rule(rule);
    return builder.lr(json.get("lr").asDouble());
  }

  private void train(RepOptimizer optimizer) {
    Draws draws = new Draws(json.get("seed").asLong());
    long[] shape = Values.shape(json.get("image"));
    int classes = json.get("classes").asInt();
    double[] losses = new double[json.get("steps").asInt()];
    subject.training(true);
    seen.put("start", copies(subject.trainable().values()));
    for (int t = 0; t < losses.length; t++) {
      try (StepScope scope = StepScope.open()) {
        Tensor images = draws.between(images(t), -1.7, 1.7, shape).to(Tensors.cpu(), type);
        Tensor labels = draws.labels("label" + t, (int) shape[0], classes);
        Tensor loss = Losses.crossEntropy(subject.logits(images), labels, 0);
        optimizer.zeroGrad();
        loss.backward();
        if (t == 0) {
          keep(scope, "grad", gradients());
        }
        optimizer.step();
        if (t == 0) {
          keep(scope, "gradafter", gradients());
          keep(scope, "step1", copies(subject.trainable().values()));
        }
        losses[t] = loss.to(Tensors.cpu(), ScalarType.Double).item_double();
      }
    }
    seen.put("losses", ImmutableList.of(Tensors.of(losses, losses.length)));
    seen.put("final", copies(subject.floating()));
    Map<String, Tensor> state = optimizer.state().tensors();
    for (String buffer : BUFFERS) {
      List<Tensor> found =
          subject.trainable().keySet().stream()
              .map(name -> name + "." + buffer)
              .filter(state::containsKey)
              .map(state::get)
              .collect(toImmutableList());
      if (!found.isEmpty()) {
        seen.put(buffer, found);
      }
    }
  }

  // The official side draws again where rounding could put the input of a ReLU on its other side.
  private String images(int t) {
    return "image" + t + "." + json.get("redraws").get(t).asInt();
  }

  private List<Tensor> gradients() {
    return copies(subject.trainable().values().stream().map(Tensor::grad).toList());
  }

  private static List<Tensor> copies(Collection<Tensor> tensors) {
    try (NoGrad noGrad = NoGrad.open()) {
      return tensors.stream().map(t -> t.detach().clone()).collect(toImmutableList());
    }
  }

  private void keep(StepScope scope, String quantity, List<Tensor> tensors) {
    tensors.forEach(scope::keep);
    seen.put(quantity, tensors);
  }
}
