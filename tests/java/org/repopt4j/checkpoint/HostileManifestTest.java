package org.repopt4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.google.common.hash.Hashing;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.repopt4j.runtime.Tensors;

/** A manifest whose hash is right and whose content is not of the format is not believed. */
class HostileManifestTest {
  @TempDir Path folder;

  private Path root;
  private Path newest;
  private String good;

  @BeforeEach
  void twoCheckpoints() throws IOException {
    root = Files.createDirectory(folder.resolve("run")).resolve("checkpoints");
    CheckpointFolder checkpoints = new CheckpointFolder(root, new FileStorage());
    for (long step = 1; step <= 2; step++) {
      newest =
          checkpoints.write(
              new Checkpoint(
                  step,
                  Map.of("lr", "0.1"),
                  Map.of("seed", "7"),
                  Map.of("java", "17"),
                  Map.of("model", Map.of("w", Tensors.of(new float[] {step, 2}, 2)))));
    }
    good = Files.readString(newest.resolve("manifest.json"));
  }

  private void put(byte[] json) throws IOException {
    Files.write(newest.resolve("manifest.json"), json);
    Files.writeString(
        newest.resolve("manifest.sha256"), Hashing.sha256().hashBytes(json).toString());
  }

  private void assertSkipped(String... parts) throws IOException {
    List<String> skipped = new ArrayList<>();
    CheckpointFolder checkpoints = new CheckpointFolder(root, new FileStorage());
    try (Checkpoint found = checkpoints.newest(skipped::add).orElseThrow()) {
      assertEquals(1, found.step());
    }
    assertEquals(1, skipped.size(), skipped::toString);
    for (String part : parts) {
      assertTrue(skipped.get(0).contains(part), skipped::toString);
    }
    assertFalse(skipped.get(0).contains("\n"), skipped::toString);
    IOException refused =
        assertThrows(IOException.class, () -> CheckpointFolder.read(newest).close());
    assertTrue(skipped.get(0).endsWith(refused.getMessage()), refused::getMessage);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"version\" : 1 | \"version\" : 2 | format version 2",
        "\"version\" : 1 | \"version\" : 1.0 | format version 1.0",
        "\"version\" : 1 | \"version\" : \"1\" | format version",
        "\"version\" : 1 | \"edition\" : 1 | format version missing",
        "\"version\" : 1 | \"version\" : 4294967297 | format version 4294967297",
        "repopt4j checkpoint | another checkpoint | format is",
        "\"step\" : 2 | \"step\" : -2 | step is -2",
        "\"step\" : 2 | \"step\" : \"2\" | step is",
        "\"step\" : 2 | \"step\" : 2.5 | step is 2.5",
        "\"step\" : 2 | \"step\" : null | step is null",
        "\"step\" : 2 | \"step\" : 99999999999999999999999 | step is 9999",
        "\"step\" : 2 | \"step\" : NaN | is no JSON",
        "\"lr\" : \"0.1\" | \"lr\" : 0.1 | values/lr is 0.1",
        "\"lr\" : \"0.1\" | \"lr\" : [\"0.1\"] | values/lr is",
        "\"values\" | \"value\" | values is missing",
        "\"configuration\" | \"configuration\" : 7, \"c\" | configuration is 7",
        "\"versions\" | \"versions\" : [], \"v\" | versions is []",
        "\"files\" | \"files\" : {}, \"f\" | files is {}",
        "\"files\" | \"file\" | files is missing",
        "model.safetensors | ../step-000000000001/model.safetensors | files/../step",
        "model.safetensors | /etc/passwd | files//etc/passwd",
        "model.safetensors | model.safetensors.safetensors | files/model",
        "model.safetensors | Model.safetensors | files/Model",
        "\"bytes\" | \"bytes\" : -1, \"b\" | files/model",
        "\"bytes\" | \"bytes\" : 1e300, \"b\" | files/model",
        "\"bytes\" | \"bytes\" : 1, \"b\" | bytes instead of 1",
        "\"sha256\" : \" | \"sha256\" : \"0 | not what was written",
      })
  void isSkipped(String before, String after, String said) throws IOException {
    assertTrue(good.contains(before), good);
    put(good.replace(before, after).getBytes(StandardCharsets.UTF_8));
    assertSkipped(said);
  }

  @Test
  void whatIsNoJsonIsSkippedWhereverItEnds() throws IOException {
    byte[] json = good.getBytes(StandardCharsets.UTF_8);
    for (int length = 0; length < json.length; length += 37) {
      put(java.util.Arrays.copyOf(json, length));
      assertSkipped("manifest.json is no");
    }
    put("[".repeat(100_000).getBytes(StandardCharsets.UTF_8));
    assertSkipped("is no JSON");
    put(new byte[] {(byte) 0xff, 0, 1});
    assertSkipped("is no JSON");
  }

  /** What a name says must not rewrite the terminal that shows it, nor fill it. */
  @Test
  void messagesAreOneShortLine() throws IOException {
    String name = "\\u001b[2J\\n" + "x".repeat(10_000);
    put(good.replace("\"lr\" : \"0.1\"", '"' + name + "\" : 1").getBytes(StandardCharsets.UTF_8));
    assertSkipped("values/?[2J?xxx");
    IOException refused = assertThrows(IOException.class, () -> CheckpointFolder.read(newest));
    assertTrue(refused.getMessage().length() < 600, refused::getMessage);
  }

  @Test
  void foldersFilesAndLinksOfSuchNamesAreNoCheckpoints() throws IOException {
    newest = root.resolve("step-000000000009");
    Files.createSymbolicLink(newest, Path.of("nowhere"));
    Files.writeString(root.resolve("step-000000000008"), "a file");
    Files.createDirectory(root.resolve("step-999999999999999999"));
    Files.createDirectories(root.resolve("step-000000000007/manifest.json"));
    Files.createDirectory(root.resolve("step-5"));
    Files.writeString(root.resolve("notes.txt"), "mine");
    List<String> skipped = new ArrayList<>();
    CheckpointFolder checkpoints = new CheckpointFolder(root, new FileStorage());
    try (Checkpoint found = checkpoints.newest(skipped::add).orElseThrow()) {
      assertEquals(2, found.step());
    }
    assertEquals(4, skipped.size(), skipped::toString);
    // The next one is the newest whatever the others are called, and stays.
    Path next = checkpoints.write(new Checkpoint(3, Map.of(), Map.of(), Map.of(), model()));
    checkpoints.prune(2);
    assertTrue(checkpoints.list().contains(next), checkpoints.list()::toString);
    try (Checkpoint found = checkpoints.newest(skipped::add).orElseThrow()) {
      assertEquals(3, found.step());
    }
    assertTrue(Files.exists(root.resolve("notes.txt")));
    assertTrue(Files.exists(root.resolve("step-5")));
  }

  private static Map<String, Map<String, org.bytedeco.pytorch.Tensor>> model() {
    return Map.of("model", Map.of("w", Tensors.of(new float[] {3}, 1)));
  }

  @Test
  void aFileThatMayNotBeReadIsNamedWithTheReason() throws IOException {
    for (String name : List.of("manifest.json", "manifest.sha256", "model.safetensors")) {
      Path file = newest.resolve(name);
      Set<PosixFilePermission> before = Files.getPosixFilePermissions(file);
      Files.setPosixFilePermissions(file, Set.of());
      assumeFalse(Files.isReadable(file), "root reads everything");
      List<String> skipped = new ArrayList<>();
      CheckpointFolder checkpoints = new CheckpointFolder(root, new FileStorage());
      try (Checkpoint found = checkpoints.newest(skipped::add).orElseThrow()) {
        assertEquals(1, found.step());
      }
      assertTrue(skipped.get(0).endsWith(file + ": access is denied"), skipped::toString);
      Files.setPosixFilePermissions(file, before);
    }
  }

  @Test
  void aGroupThatWouldBeAnotherFileIsRefused() {
    CheckpointFolder checkpoints = new CheckpointFolder(root, new FileStorage());
    for (String group : List.of("", "../model", "Model", "a b")) {
      assertThrows(
          IllegalArgumentException.class,
          () ->
              checkpoints.write(
                  new Checkpoint(3, Map.of(), Map.of(), Map.of(), Map.of(group, Map.of()))));
    }
  }
}
