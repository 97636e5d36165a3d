package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.Golden;
import org.repopt4j.testkit.Shared;
import org.repopt4j.testkit.TensorAsserts;

class SafetensorsReaderTest {
  @TempDir Path folder;

  @Test
  void aFileThatPythonWroteIsReadAsTheNaiveReaderReadsIt() throws Exception {
    String name = "vgg-tiny-sgd-idscale-train.safetensors";
    Golden golden = Golden.read(name);
    Path file = Shared.path("golden/" + name);
    try (TensorFile read = StateDicts.read(file)) {
      assertEquals(namesInTheHeader(file), List.copyOf(read.tensors().keySet()));
      read.tensors().forEach((n, t) -> TensorAsserts.assertBitEqual(n, golden.tensor(n), t));
      assertFalse(read.metadata().isEmpty());
      read.metadata().forEach((key, value) -> assertEquals(golden.metadata(key), value));
    }
  }

  private static List<String> namesInTheHeader(Path file) throws Exception {
    byte[] bytes = Files.readAllBytes(file);
    int length = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    List<String> names = new ArrayList<>();
    new ObjectMapper().readTree(bytes, 8, length).fieldNames().forEachRemaining(names::add);
    names.remove("__metadata__");
    assertTrue(names.size() > 10);
    return names;
  }

  @Test
  void oneTensorIsReadByNameAndOutlivesScopes() throws Exception {
    Path file = folder.resolve("a.safetensors");
    SafetensorsWriter.write(
        file, Map.of("w", Tensors.of(new float[] {1, -0f, Float.NaN}, 3, 1)), Map.of("a", "b"));
    Tensor w;
    try (StepScope scope = StepScope.open();
        SafetensorsReader reader = SafetensorsReader.open(file)) {
      assertEquals(List.of("w"), reader.names());
      assertEquals(Map.of("a", "b"), reader.metadata());
      assertEquals(Dtype.F32, reader.dtype("w"));
      assertArrayEquals(new long[] {3, 1}, reader.shape("w"));
      w = reader.read("w");
      String fault =
          assertThrows(IllegalArgumentException.class, () -> reader.read("v")).getMessage();
      assertEquals(file + " has no tensor 'v' among its 1", fault);
    }
    assertArrayEquals(new float[] {1, -0f, Float.NaN}, Tensors.toFloats(w));
  }

  @Test
  void headersInAnyOrderOfOffsetsAreReadInTheHeadersOrder() throws Exception {
    Path file =
        HostileBytes.safetensors(
                "{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]},"
                    + "\"e\":{\"shape\":[0],\"data_offsets\":[1,1],\"dtype\":\"F32\"},"
                    + "\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}   ",
                new byte[] {7, 8, 9})
            .write(folder);
    try (TensorFile read = StateDicts.read(file)) {
      assertEquals(List.of("b", "e", "a"), List.copyOf(read.tensors().keySet()));
      assertArrayEquals(new long[] {8, 9}, Tensors.toLongs(read.tensor("b")));
      assertArrayEquals(new long[] {7}, Tensors.toLongs(read.tensor("a")));
      assertArrayEquals(new long[] {0}, Tensors.shape(read.tensor("e")));
    }
  }
}
