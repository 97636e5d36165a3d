package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.runtime.Tensors;

class SafetensorsIndexTest {
  @TempDir Path folder;

  @BeforeEach
  void shards() throws Exception {
    SafetensorsWriter.write(
        folder.resolve("m-1.safetensors"),
        Map.of("a", Tensors.of(new float[] {1}, 1), "c", Tensors.of(new float[] {3}, 1)),
        Map.of("format", "pt"));
    SafetensorsWriter.write(
        folder.resolve("m-2.safetensors"), Map.of("b", Tensors.of(new float[] {2}, 1)), Map.of());
  }

  private Path index(String json) throws Exception {
    return Files.writeString(folder.resolve("m.safetensors.index.json"), json);
  }

  @Test
  void shardsAreReadInTheOrderOfTheIndex() throws Exception {
    Path index =
        index(
            "{\"metadata\":{\"total_size\":12},\"weight_map\":{\"c\":\"m-1.safetensors\","
                + "\"b\":\"m-2.safetensors\",\"a\":\"m-1.safetensors\"}}\n");
    try (TensorFile read = StateDicts.read(index)) {
      assertEquals(List.of("c", "b", "a"), List.copyOf(read.tensors().keySet()));
      assertArrayEquals(new float[] {2}, Tensors.toFloats(read.tensor("b")));
      assertArrayEquals(new float[] {3}, Tensors.toFloats(read.tensor("c")));
      assertEquals(Map.of("format", "pt"), read.metadata());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../m-1.safetensors",
        "/etc/m.safetensors",
        "sub/m-1.safetensors",
        "..\\\\m-1.safetensors",
        "m-1.pth",
        ".safetensors",
        "m\\u0000.safetensors",
        "",
        "C:m-1.safetensors",
        "gone.safetensors"
      })
  void filesElsewhereAreRefused(String file) throws Exception {
    refused("{\"weight_map\":{\"a\":\"" + file + "\"}}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{}",
        "{\"weight_map\":{}}",
        "{\"weight_map\":[]}",
        "{\"weight_map\":{\"a\":1}}",
        "{\"weight_map\":{\"a\":\"m-1.safetensors\",\"a\":\"m-1.safetensors\"}}",
        "{\"weight_map\":{\"b\":\"m-1.safetensors\"}}",
        "{\"weight_map\":{\"__metadata__\":\"m-1.safetensors\"}}",
        "{\"weight_map\":{\"a\":\"m-1.safetensors\"}} x"
      })
  void brokenIndexesAreRefused(String json) throws Exception {
    refused(json);
  }

  private void refused(String json) throws Exception {
    Path index = index(json);
    InvalidFileException e = assertThrows(InvalidFileException.class, () -> StateDicts.read(index));
    assertTrue(e.getMessage().startsWith(folder.toString()), e.getMessage());
    assertEquals(1, e.getMessage().lines().count(), e.getMessage());
  }
}
