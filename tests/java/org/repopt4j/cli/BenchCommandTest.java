package org.repopt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code bench} prints and writes; no time is judged. */
class BenchCommandTest {
  @TempDir Path folder;

  private static CapturedRun bench(String... more) {
    List<String> args =
        new ArrayList<>(
            List.of("bench", "--threads", "1", "--warmup", "1", "--repeats", "3", "-b", "4"));
    args.addAll(List.of(more));
    return CapturedRun.of(args);
  }

  @Test
  void jsonOfATrainingStep() throws IOException {
    CapturedRun run = bench("--precision", "bf16", "--opt", "adamw-official", "--json", "-");
    assertEquals(0, run.code(), run::toString);
    JsonNode json = run.json();
    Instant.parse(json.get("date").asText());
    assertEquals("train", json.at("/settings/what").asText());
    assertEquals("RepOpt-VGG-tiny", json.at("/settings/arch").asText());
    assertEquals("bf16", json.at("/settings/precision").asText());
    assertEquals("adamw-official", json.at("/settings/opt").asText());
    assertEquals(4, json.at("/settings/batch_size").asInt());
    assertFalse(json.get("stopped").asBoolean());
    assertTrue(json.at("/machine/processors").asInt() >= 1);
    assertFalse(json.at("/machine/cpu").asText().isEmpty());
    assertEquals(1, json.at("/machine/threads").asInt());
    assertEquals(1, json.get("measurements").size());
    JsonNode step = json.at("/measurements/0");
    assertEquals(3, step.get("milliseconds").size());
    double median = step.get("median").asDouble();
    assertTrue(step.get("fastest").asDouble() <= step.get("lower_quartile").asDouble());
    assertTrue(step.get("lower_quartile").asDouble() <= median);
    assertTrue(median <= step.get("upper_quartile").asDouble());
    assertTrue(step.get("upper_quartile").asDouble() <= step.get("slowest").asDouble());
    assertEquals(4000 / median, step.get("images_per_second").asDouble(), 1e-6);
    assertEquals(0, step.get("native_objects_left").asLong());
    assertTrue(run.err().startsWith("RepOpt-VGG-tiny target: train, 4 images of 32x32, bf16"));
  }

  @Test
  void jsonOfAnUpdateGoesIntoAFileBesideTheText() throws IOException {
    Path file = folder.resolve("update.json");
    CapturedRun run = bench("--what", "update", "--engine", "reference", "--json", file.toString());
    assertEquals(0, run.code(), run::toString);
    assertTrue(run.out().contains("read-modify-write limit with a dense mask"), run::toString);
    assertTrue(run.out().contains("% of the weights"), run::toString);
    JsonNode json = new ObjectMapper().readTree(Files.readString(file));
    assertEquals("reference", json.at("/settings/engine").asText());
    assertEquals(3, json.get("measurements").size());
    JsonNode update = json.at("/measurements/0");
    JsonNode masked = json.at("/measurements/1");
    assertEquals(
        update.get("median").asDouble() / masked.get("median").asDouble(),
        json.get("ratio_to_limit_with_dense_mask").asDouble(),
        1e-9);
    assertEquals(
        json.at("/memory/dense_mask_bytes").asLong(),
        masked.get("bytes").asLong() - json.at("/measurements/2/bytes").asLong(),
        "one more stream as large as the masked kernels");
    assertEquals(json.at("/memory/weight_bytes").asLong(), json.at("/memory/state_bytes").asLong());
    assertTrue(json.get("limit_by").asText().contains("threads: "));
  }

  @Test
  void aStepInFloat16ThatRecomputes() throws IOException {
    CapturedRun run = bench("--precision", "fp16", "--recompute", "--json", "-");
    assertEquals(0, run.code(), run::toString);
    assertEquals("fp16", run.json().at("/settings/precision").asText());
    assertTrue(run.json().at("/settings/recompute").asBoolean());
    assertEquals(0, run.json().at("/measurements/0/native_objects_left").asLong());
    assertFalse(run.json().has("peak_device_bytes"), "a CPU has no device memory");
    assertTrue(run.err().contains("fp16, recomputing"), run::toString);
  }

  @Test
  void inferenceOfADeployedNetwork() {
    CapturedRun run = bench("--what", "inference", "--mode", "deploy", "--num-classes", "10");
    assertEquals(0, run.code(), run::toString);
    assertTrue(run.out().contains("inference step"), run::toString);
    assertTrue(run.out().contains("images/s"), run::toString);
  }
}
