package org.repopt4j.crosscheck;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongToDoubleFunction;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.optim.LearningRateSchedule;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/** A learning-rate schedule, step by step (official {@code build_scheduler}). */
final class ScheduleCase {
  private static final double TOLERANCE = 1e-12;

  private ScheduleCase() {}

  static void run(JsonNode json, Findings findings) {
    String name = json.get("name").asText();
    LearningRateSchedule schedule = schedule(json, name);
    long total = total(json);
    double[] after = Values.doubles(json.get("after")).stream().mapToDouble(d -> d).toArray();
    double[] used = Values.doubles(json.get("used")).stream().mapToDouble(d -> d).toArray();
    boolean changed = name.equals("linear");
    int kept = changed ? (int) total + 1 : after.length;
    try (StepScope scope = StepScope.open()) {
      compare(findings, "learning rate after each step", name, schedule::at, head(after, kept));
      compare(findings, "learning rate of each step", name, schedule::forStep, used);
      if (changed) {
        findings.onPurpose(
            "learning rate beyond the end",
            name,
            difference(n -> schedule.at(n + kept), tail(after, kept)),
            "the official line goes on downwards, here it stays at its end; training never asks for it");
      }
    }
  }

  private static long total(JsonNode json) {
    return json.get("epochs").asLong() * json.get("per_epoch").asLong();
  }

  private static LearningRateSchedule schedule(JsonNode json, String name) {
    double baseLr = json.get("base_lr").asDouble();
    double warmupLr = json.get("warmup_lr").asDouble();
    long perEpoch = json.get("per_epoch").asLong();
    long warmup = json.get("warmup_epochs").asLong() * perEpoch;
    return switch (name) {
      case "cosine" ->
          LearningRateSchedule.cosine(
              baseLr, total(json), json.get("min_lr").asDouble(), warmup, warmupLr);
      case "linear" -> LearningRateSchedule.linear(baseLr, total(json), warmup, warmupLr);
      default ->
          LearningRateSchedule.step(
              baseLr,
              json.get("decay_epochs").asLong() * perEpoch,
              json.get("decay_rate").asDouble(),
              warmup,
              warmupLr);
    };
  }

  private static void compare(
      Findings findings,
      String quantity,
      String name,
      LongToDoubleFunction ours,
      double[] official) {
    findings.within(quantity, name, difference(ours, official), TOLERANCE);
  }

  /** Every rate is a tensor of its own, so that the worst one counts. */
  private static Difference difference(LongToDoubleFunction ours, double[] official) {
    Tensor[] rates = new Tensor[official.length];
    for (int n = 0; n < rates.length; n++) {
      rates[n] = Tensors.of(new double[] {ours.applyAsDouble(n)}, 1);
    }
    return Difference.of(List.of(rates), Tensors.of(official, official.length));
  }

  private static double[] head(double[] values, int length) {
    return Arrays.copyOf(values, length);
  }

  private static double[] tail(double[] values, int from) {
    return Arrays.copyOfRange(values, from, values.length);
  }
}
