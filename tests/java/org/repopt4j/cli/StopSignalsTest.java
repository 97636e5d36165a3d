package org.repopt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.base.Splitter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.checkpoint.Checkpoint;
import org.repopt4j.checkpoint.CheckpointFolder;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Architecture;
import org.repopt4j.search.ScalesFile;
import org.repopt4j.testkit.JavaProcess;

/** Signals to a process of its own. */
@Timeout(600)
class StopSignalsTest {
  @TempDir Path folder;

  @BeforeEach
  void needsSignals() {
    assumeTrue(Files.isReadable(Path.of("/proc/self/status")), "needs Linux");
  }

  @Test
  void sigtermKeepsWhatWasReached() throws Exception {
    Process search = begin("search", "--epochs", "500");
    send("TERM", search);
    assertEquals(143, end(search), this::err);
    ScalesFile.read(
        folder.resolve("run/scales.safetensors"), Architecture.named("RepOpt-VGG-tiny"));
    assertKept();
    String out = Files.readString(folder.resolve("out"));
    assertTrue(out.contains("\"stopped\" : true"), out);
    JsonNode result = new ObjectMapper().readTree(out);
    int rows = Files.readAllLines(folder.resolve("run/summary.csv")).size() - 1;
    assertEquals(rows - 1, result.get("epochs").asInt(), "the last row is an epoch cut short");
  }

  @Test
  void sigintKeepsWhatWasReached() throws Exception {
    Process train = begin("train", "--epochs", "500");
    assumeTrue(!ignoresSigint(train), "SIGINT is ignored by whoever started the tests");
    send("INT", train);
    assertEquals(130, end(train), this::err);
    assertKept();
  }

  @Test
  void aSecondSignalEndsAtOnce() throws Exception {
    // One batch of the whole training set takes long enough for a second signal to meet the step.
    Process train = begin("train", "--epochs", "500", "-b", "1437", "--arch", "RepOpt-VGG-B0");
    // More than two, because on a busy machine two of one kind may become one.
    while (train.isAlive()) {
      send("TERM", train);
    }
    assertEquals(143, end(train), this::err);
    assertTrue(Files.notExists(folder.resolve("run/last.safetensors")), this::err);
  }

  /**
   * As {@code timeout} and job schedulers do: to the process, and to its group, to which it
   * belongs.
   */
  @Test
  void signalsThatComeTogetherAreOneWish() throws Exception {
    Process train = begin("train", "--epochs", "500");
    String pid = Long.toString(train.pid());
    // The builtin of one shell, because a process for each would take too long in between.
    String line = "for i in 1 2 3 4 5; do kill -TERM " + pid + "; kill -INT " + pid + "; done";
    assertEquals(0, new ProcessBuilder("sh", "-c", line).start().waitFor());
    int code = end(train);
    assertTrue(code == 143 || code == 130, () -> code + err());
    assertKept();
    new CheckpointFolder(folder.resolve("run/checkpoints"), new FileStorage())
        .newest(Assertions::fail)
        .orElseThrow()
        .close();
  }

  /** In training, mostly in evaluation, and mostly while a checkpoint is being written. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "-b 64 --eval-every 400",
        "-b 719 --val-batch-size 1",
        "-b 64 --eval-every 400 --checkpoint-every 1 --model-ema-decay 0.9"
      })
  void whateverItDoesItCanBeResumed(String options) throws Exception {
    List<String> more = new ArrayList<>(List.of("--epochs", "400", "--mode", "repvgg"));
    more.addAll(Splitter.on(' ').splitToList(options));
    long step = 0;
    for (int piece = 0; piece < 3; piece++) {
      Process train = begin("train", more.toArray(new String[0]));
      Thread.sleep(1200);
      send("TERM", train);
      assertEquals(143, end(train), this::err);
      try (Checkpoint checkpoint =
          new CheckpointFolder(folder.resolve("run/checkpoints"), new FileStorage())
              .newest(Assertions::fail)
              .orElseThrow()) {
        assertTrue(checkpoint.step() >= step, "it went back: " + err());
        step = checkpoint.step();
      }
      assertEquals(piece > 0, err().contains("resuming after step"), this::err);
      if (piece == 0) {
        more.addAll(List.of("--resume", "auto"));
      }
    }
  }

  private Process begin(String command, String... more) throws Exception {
    List<String> line =
        new ArrayList<>(
            List.of(
                command, "--threads", "1", "--json", "--output", folder.resolve("run").toString()));
    line.addAll(List.of(more));
    Process process =
        JavaProcess.of(
                List.of("-Xmx512m", "-Dorg.bytedeco.javacpp.maxphysicalbytes=16g"),
                Main.class,
                line.toArray(new String[0]))
            .redirectOutput(folder.resolve("out").toFile())
            .redirectError(folder.resolve("err").toFile())
            .start();
    // The summary's head is written when the training begins, a notice when it goes on.
    boolean resumed = List.of(more).contains("--resume");
    while (process.isAlive()
        && (resumed
            ? !err().contains("resuming")
            : Files.notExists(folder.resolve("run/summary.csv")))) {
      Thread.sleep(20);
    }
    assertTrue(process.isAlive(), this::err);
    return process;
  }

  private static void send(String signal, Process process) throws Exception {
    new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
    Thread.sleep(100); // Two signals of one kind would become one.
  }

  private static int end(Process process) throws InterruptedException {
    try {
      assertTrue(process.waitFor(180, TimeUnit.SECONDS), "still alive");
      return process.exitValue();
    } finally {
      process.destroyForcibly();
    }
  }

  private static boolean ignoresSigint(Process process) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/status"))) {
      if (line.startsWith("SigIgn:")) {
        return (Long.parseUnsignedLong(line.substring(7).trim(), 16) & 2) != 0;
      }
    }
    return false;
  }

  private void assertKept() throws IOException {
    try (TensorFile file = StateDicts.read(folder.resolve("run/last.safetensors"))) {
      assertTrue(file.tensors().containsKey("linear.weight"));
    }
    assertTrue(Files.readAllLines(folder.resolve("run/summary.csv")).size() >= 2);
    assertTrue(err().contains("what was reached is kept"), this::err);
  }

  private String err() {
    try {
      return Files.readString(folder.resolve("err"));
    } catch (IOException e) {
      return e.toString();
    }
  }
}
