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
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.bench.BenchSettings;
import org.repopt4j.bench.LargestBatch;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.runtime.CudaMemory;
import org.repopt4j.train.RunSettings.Precision;

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

  private static LargestBatch.Report found(OptionalInt batch) {
    BenchSettings settings =
        new BenchSettings(
            BenchSettings.What.TRAIN,
            Architecture.named("RepOpt-VGG-B1"),
            Mode.TARGET,
            1000,
            32,
            224,
            Precision.BF16,
            true,
            false,
            "cuda",
            0,
            UpdateRule.SGD,
            Optional.empty(),
            5,
            30,
            0);
    Optional<CudaMemory.Peak> peak = Optional.of(new CudaMemory.Peak(3 << 20, 8 << 20));
    return new LargestBatch.Report(
        settings,
        "cuda:0 (asked for)",
        batch,
        List.of(
            new LargestBatch.Try(2, Optional.empty(), peak),
            new LargestBatch.Try(4, Optional.of("CUDA out of memory."), Optional.empty())));
  }

  @Test
  void theLargestBatchInWordsAndAsJson() throws IOException {
    LargestBatch.Report report = found(OptionalInt.of(3));
    String text = BenchText.of(report);
    assertTrue(text.contains("the largest batch that fits: 3"), text);
    assertTrue(text.contains("3.0 MiB"), text);
    JsonNode json = new ObjectMapper().readTree(Json.of(BenchNumbers.of(report)));
    assertEquals(3, json.get("largest_batch").asInt());
    assertEquals("bf16", json.at("/settings/precision").asText());
    assertFalse(json.get("settings").has("batch_size"));
    assertTrue(json.at("/tries/0/fits").asBoolean());
    assertEquals(3 << 20, json.at("/tries/0/peak_device_bytes").asLong());
    assertFalse(json.at("/tries/1/fits").asBoolean());
    assertEquals("CUDA out of memory.", json.at("/tries/1/failure").asText());
    LargestBatch.Report nothing = found(OptionalInt.empty());
    assertTrue(
        new ObjectMapper()
            .readTree(Json.of(BenchNumbers.of(nothing)))
            .get("largest_batch")
            .isNull());
    assertTrue(BenchText.of(nothing).contains("no batch was found to fit"));
  }

  @Test
  void inferenceOfADeployedNetwork() {
    CapturedRun run = bench("--what", "inference", "--mode", "deploy", "--num-classes", "10");
    assertEquals(0, run.code(), run::toString);
    assertTrue(run.out().contains("inference step"), run::toString);
    assertTrue(run.out().contains("images/s"), run::toString);
  }
}
