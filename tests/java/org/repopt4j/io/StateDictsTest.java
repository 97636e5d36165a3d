package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.runtime.Tensors;

class StateDictsTest extends HostileFiles {
  private final Map<String, Tensor> one = Map.of("w", Tensors.of(new float[] {1}, 1));

  @Test
  void theContentAndNotTheNameTellsTheFormat() throws Exception {
    Path pth = folder.resolve("a.pth");
    Path safetensors = folder.resolve("a.safetensors");
    StateDicts.write(pth, one);
    StateDicts.write(safetensors, one, Map.of("k", "v"));
    Path swap = folder.resolve("swap");
    Files.move(pth, swap);
    Files.move(safetensors, pth);
    Files.move(swap, safetensors);
    assertEquals(Map.of("k", "v"), StateDicts.read(pth).metadata());
    assertEquals(Map.of(), StateDicts.read(safetensors).metadata());
  }

  @Test
  void theCallersFaultsAreSentences() {
    assertFault("must end in .safetensors, .pth or .pt, got", "a.bin", Map.of());
    assertFault("no place for metadata", "a.pth", Map.of("k", "v"));
  }

  private void assertFault(String sentence, String name, Map<String, String> metadata) {
    Path file = folder.resolve(name);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> StateDicts.write(file, one, metadata));
    assertTrue(e.getMessage().contains(sentence), e.getMessage());
  }

  static Stream<Arguments> cases() {
    return Stream.of(
        Arguments.of("empty file", "it is empty", text("")),
        Arguments.of("one byte", "neither", text("P")),
        Arguments.of("text file", "neither", text("These are the scales.\n")),
        Arguments.of("web page", "web page", text("<!DOCTYPE html><html><body>404</body></html>")),
        Arguments.of(
            "LFS pointer",
            "git lfs pull",
            text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")),
        Arguments.of("zip's first bytes only", "too few", text("PK\3\4")),
        Arguments.of(
            "zip's first bytes and zeros", "no zip directory", text("PK\3\4" + "\0".repeat(100))),
        Arguments.of("gzip", "neither", text("\u001f\u008b\u0008\0\0\0\0\0\0\u0003")),
        Arguments.of(
            "bare pickle", "neither", text("\u0080\u0002cposix\nsystem\n(X\u0002\0\0\0lstR.")),
        Arguments.of("zeros", "neither", text("\0".repeat(4096))));
  }

  private static HostileBytes text(String text) {
    return new HostileBytes(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  @Test
  void thePartsThatTheCasesAreMadeOfAreGood() throws Exception {
    try (TensorFile read = StateDicts.read(HostileBytes.good().write(folder))) {
      assertArrayEquals(new float[4], Tensors.toFloats(read.tensor("w")));
    }
    HostileBytes safetensors =
        HostileBytes.safetensors(
            "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}", new byte[8]);
    try (TensorFile read = StateDicts.read(safetensors.write(folder))) {
      assertArrayEquals(new double[1], Tensors.toDoubles(read.tensor("a")));
    }
  }

  @Test
  void foldersAndMissingFilesAreNamed() {
    assertTrue(
        assertThrows(InvalidFileException.class, () -> StateDicts.read(folder))
            .getMessage()
            .contains("it is a folder"));
    assertTrue(
        assertThrows(InvalidFileException.class, () -> StateDicts.read(folder.resolve("gone.pth")))
            .getMessage()
            .contains("there is no such file"));
    assertTrue(
        assertThrows(InvalidFileException.class, () -> StateDicts.read(Path.of("/dev/zero")))
            .getMessage()
            .contains("not a regular file"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.pth", "a.safetensors"})
  void filesThatEndEarlyAreRefusedWhereverTheyEnd(String name) throws Exception {
    Path file = folder.resolve(name);
    StateDicts.write(file, SampleTensors.everyType(4), Map.of());
    byte[] whole = Files.readAllBytes(file);
    for (int i = 0; i < 50; i++) {
      int length = whole.length * i / 50;
      Path part = new HostileBytes(whole).cut(length).write(folder);
      assertThrows(InvalidFileException.class, () -> StateDicts.read(part), "cut at " + length);
    }
    for (int less : List.of(1, 2, 8, 21, 22, 23)) {
      Path part = new HostileBytes(whole).cut(whole.length - less).write(folder);
      assertThrows(InvalidFileException.class, () -> StateDicts.read(part), "less " + less);
    }
  }
}
