package org.repopt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The round of a user: search, train with the scales, evaluate what was saved. */
class TrainCommandTest {
  @TempDir Path folder;

  private CapturedRun run(String command, String output, String... more) {
    List<String> args = new ArrayList<>(List.of(command, "--threads", "1", "--json"));
    args.addAll(List.of("--output", folder.resolve(output).toString()));
    args.addAll(List.of(more));
    return CapturedRun.of(args);
  }

  @Test
  void searchTrainAndEvalAgree() throws IOException {
    CapturedRun search = run("search", "hs", "--epochs", "2");
    assertEquals(0, search.code(), search::toString);
    String scales = search.json().get("scales").asText();
    assertTrue(Files.isRegularFile(Path.of(scales)), scales);

    CapturedRun train = run("train", "target", "--epochs", "2", "--scales", scales);
    assertEquals(0, train.code(), train::toString);
    JsonNode result = train.json();
    assertEquals(2, result.get("epochs").asInt());
    assertFalse(result.get("stopped").asBoolean());
    assertTrue(train.err().contains("8 of them tensors with Grad Mults"), train::toString);
    assertEquals(3, Files.readAllLines(folder.resolve("target/summary.csv")).size());

    String best = folder.resolve("target/best.safetensors").toString();
    CapturedRun eval = CapturedRun.of("eval", best, "--threads", "1", "--json");
    assertEquals(0, eval.code(), eval::toString);
    assertEquals(360, eval.json().get("images").asInt());
    assertEquals(result.get("best_top1").asDouble(), eval.json().get("top1").asDouble(), 1e-9);

    CapturedRun other = CapturedRun.of("eval", best, "--arch", "RepOpt-VGG-A0");
    assertEquals(2, other.code());
    assertEquals(1, other.err().lines().count(), other::toString);
    assertTrue(other.err().contains("the file says it is RepOpt-VGG-tiny target"), other::toString);
    assertTrue(other.err().length() < 500, other::toString);

    CapturedRun misfit = run("train", "a0", "--arch", "RepOpt-VGG-A0", "--scales", scales);
    assertEquals(2, misfit.code());
    assertEquals(1, misfit.err().lines().count(), misfit::toString);
    assertFalse(Files.exists(folder.resolve("a0")));

    CapturedRun again = run("train", "target", "--epochs", "1");
    assertEquals(2, again.code(), again::toString);
  }

  @Test
  void aRunThatDivergesEndsWithOneAndASentence() {
    CapturedRun run = run("train", "diverged", "--epochs", "1", "--lr", "1e9");
    assertEquals(Failures.CHECK_FAILED, run.code(), run::toString);
    assertEquals("", run.out());
    assertTrue(run.err().contains("lower --lr"), run::toString);
    assertFalse(run.err().contains("\tat "), run::toString);
  }

  @Test
  void verboseShowsTheBackTraceBeforeAndAfterTheCommand() {
    CapturedRun before = CapturedRun.of("--verbose", "verify", "--steps", "0");
    CapturedRun after = CapturedRun.of("verify", "--steps", "0", "--verbose");
    for (CapturedRun run : List.of(before, after)) {
      assertEquals(2, run.code());
      assertTrue(run.err().contains("\tat org.repopt4j.cli.VerifyCommand"), run::toString);
    }
  }

  @Test
  void recomputationChangesNothingButTheMemory() throws IOException {
    CapturedRun kept = run("train", "kept", "--epochs", "1");
    CapturedRun recomputed = run("train", "recomputed", "--epochs", "1", "--recompute");
    assertEquals(0, recomputed.code(), recomputed::toString);
    assertEquals(kept.json().get("train_loss"), recomputed.json().get("train_loss"));
    assertEquals(
        -1,
        Files.mismatch(
            folder.resolve("kept/last.safetensors"),
            folder.resolve("recomputed/last.safetensors")));
  }

  @Test
  void severalWorkersPrepareBatches() {
    CapturedRun run = run("train", "workers", "--epochs", "1", "--workers", "3", "-b", "256");
    assertEquals(0, run.code(), run::toString);
  }
}
