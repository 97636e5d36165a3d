package org.repopt4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigFileTest {
  private static final List<String> UNUSUAL =
      List.of(
          "--arch custom --num-blocks 1,1,1,1 --width 0.25,0.25,0.25,0.25 --strides 2,1,2,2,2"
              .split(" "));

  @TempDir Path folder;

  private void run(String command, String output, List<String> options, String... more)
      throws IOException {
    List<String> args = new ArrayList<>(List.of(command));
    args.addAll(options);
    args.addAll(List.of(more));
    args.addAll(List.of("--output", folder.resolve(output).toString()));
    CapturedRun run = CapturedRun.of(args);
    assertEquals(0, run.code(), run::toString);
  }

  private List<String> from(String output) {
    return List.of("--config", folder.resolve(output).resolve("args.yaml").toString());
  }

  /** The settings but for their folder. */
  private List<String> settings(String output) throws IOException {
    List<String> lines = Files.readAllLines(folder.resolve(output).resolve("args.yaml"));
    assertTrue(lines.removeIf(line -> line.startsWith("output:")));
    return lines;
  }

  private byte[] weights(String output) throws IOException {
    return Files.readAllBytes(folder.resolve(output).resolve("last.safetensors"));
  }

  private Optional<String> setting(String output, String name) throws IOException {
    return settings(output).stream().filter(line -> line.startsWith(name + ":")).findFirst();
  }

  @Test
  void argsOfARunMakeTheSameRunAgain() throws IOException {
    String[] more =
        ("--epochs 1 --seed 5 --threads 1 --deterministic --no-flip --opt adamw --opt-betas 0.8,0.95"
                + " --lr 2.5e-3 --smoothing 0.1 --batch-size 96 --sched step --eval-every 1")
            .split(" ");
    run("train", "first", UNUSUAL, more);
    run("train", "again", from("first"));
    assertEquals(settings("first"), settings("again"));
    assertArrayEquals(weights("first"), weights("again"));
  }

  @Test
  void argsOfASearchMakeTheSameSearchAgain() throws IOException {
    run("search", "first", UNUSUAL, "--epochs", "1", "--threads", "1", "--deterministic");
    run("search", "again", from("first"));
    assertEquals(settings("first"), settings("again"));
    assertArrayEquals(weights("first"), weights("again"));
  }

  @Test
  void theCommandLineWins() throws IOException {
    Path file = folder.resolve("my.yaml");
    Files.writeString(
        file, "epochs: 7\nno-flip: true\nno_aug: false\nlr: 1e-2\nseed: null\nthreads: 1\n");
    run(
        "train",
        "mine",
        List.of("--config=" + file),
        "--epochs",
        "1",
        "--no-flip",
        "--mode",
        "csla");
    assertEquals(Optional.of("epochs: 1"), setting("mine", "epochs"));
    assertEquals(Optional.of("no_flip: true"), setting("mine", "no_flip"));
    assertEquals(Optional.of("no_aug: false"), setting("mine", "no_aug"));
    assertEquals(Optional.of("lr: 0.01"), setting("mine", "lr"));
    assertEquals(Optional.of("seed: 0"), setting("mine", "seed"));
    assertEquals(Optional.of("mode: \"csla\""), setting("mine", "mode"));
  }

  @Test
  void helpIsGivenWithoutReadingTheFile() {
    CapturedRun help = CapturedRun.of("train", "--config", "/nowhere", "--help");
    assertEquals(0, help.code(), help::toString);
    assertTrue(help.out().contains("--config=FILE"), help::toString);
  }
}
