package org.repopt4j.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Against {@code learning-rate-schedules.json}: what the official {@code build_scheduler} gave with
 * timm 0.4.12 (and, bit for bit the same, 0.5.4): {@code at} are the values of {@code
 * get_update_values}, {@code used} the optimizer's rate before each {@code step_update(n)}.
 */
class LearningRateScheduleTest {
  static Stream<JsonNode> cases() throws IOException {
    try (InputStream in =
        LearningRateScheduleTest.class.getResourceAsStream("learning-rate-schedules.json")) {
      JsonNode all = new ObjectMapper().readTree(in);
      assertEquals(12, all.size());
      return StreamSupport.stream(all.spliterator(), false);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyValueIsTimms(JsonNode one) {
    LearningRateSchedule schedule = schedule(one);
    for (int n = 0; n < one.get("at").size(); n++) {
      assertClose(one.get("at").get(n).asDouble(), schedule.at(n), "at " + n);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyStepUsesTheRateOfTheOfficialLoop(JsonNode one) {
    LearningRateSchedule schedule = schedule(one);
    for (int n = 0; n < one.get("used").size(); n++) {
      assertClose(one.get("used").get(n).asDouble(), schedule.forStep(n), "step " + n);
    }
  }

  @Test
  void constantNeverChanges() {
    LearningRateSchedule schedule = LearningRateSchedule.constant(0.25);
    for (long n : new long[] {0, 1, 17, 1L << 40}) {
      assertEquals(0.25, schedule.at(n));
      assertEquals(0.25, schedule.forStep(n));
    }
  }

  @Test
  void linearStaysAtAHundredthBeyondItsEnd() {
    LearningRateSchedule schedule = LearningRateSchedule.linear(0.5, 10, 2, 0.1);
    assertEquals(0.005, schedule.at(10), 1e-15);
    assertEquals(0.005, schedule.at(1000), 1e-15);
  }

  @Test
  void badArgumentsAreRefusedWithTheValue() {
    assertRefused("got: -0.1", () -> LearningRateSchedule.constant(-0.1));
    assertRefused("got: NaN", () -> LearningRateSchedule.constant(Double.NaN));
    assertRefused("total steps must be >= 1", () -> LearningRateSchedule.cosine(1, 0, 0, 0, 0));
    assertRefused("got: -1", () -> LearningRateSchedule.cosine(1, 5, 0, -1, 0));
    assertRefused("got: 6", () -> LearningRateSchedule.cosine(1, 5, 0, 6, 0));
    assertRefused("minimum", () -> LearningRateSchedule.cosine(1, 5, -1e-9, 0, 0));
    assertRefused("< the total of 5", () -> LearningRateSchedule.linear(1, 5, 5, 0));
    assertRefused("warm-up learning rate", () -> LearningRateSchedule.linear(1, 5, 2, -1));
    assertRefused("decay steps must be >= 1", () -> LearningRateSchedule.step(1, 0, 0.1, 0, 0));
    assertRefused("decay rate", () -> LearningRateSchedule.step(1, 1, -0.1, 0, 0));
    LearningRateSchedule schedule = LearningRateSchedule.cosine(1, 5, 0, 1, 0);
    assertRefused("got: -1", () -> schedule.at(-1));
    assertRefused("got: -1", () -> schedule.forStep(-1));
  }

  private static LearningRateSchedule schedule(JsonNode one) {
    double base = one.get("baseLr").asDouble();
    long total = one.get("totalSteps").asLong();
    long warmup = one.get("warmupSteps").asLong();
    double warmupLr = one.get("warmupLr").asDouble();
    String name = one.get("name").asText();
    if (name.equals("cosine")) {
      return LearningRateSchedule.cosine(
          base, total, one.get("minLr").asDouble(), warmup, warmupLr);
    }
    if (name.equals("linear")) {
      return LearningRateSchedule.linear(base, total, warmup, warmupLr);
    }
    return LearningRateSchedule.step(
        base, one.get("decaySteps").asLong(), one.get("decayRate").asDouble(), warmup, warmupLr);
  }

  private static void assertClose(double expected, double actual, String what) {
    assertEquals(expected, actual, 1e-14 * Math.abs(expected) + 1e-300, what);
  }

  private static void assertRefused(String part, Runnable call) {
    String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
    assertTrue(message.contains(part), message);
  }
}
