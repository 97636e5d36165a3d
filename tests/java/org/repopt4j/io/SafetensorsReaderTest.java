package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
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

  static long mappings(Path file) throws Exception {
    String name = file.toRealPath().toString();
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
      return lines.filter(line -> line.endsWith(name)).count();
    }
  }

  @Test
  void mappedTensorsAreTheOnesThatWouldBeRead() throws Exception {
    Path file = folder.resolve("ü.safetensors");
    for (long seed = 0; seed < 20; seed++) {
      Map<String, Tensor> tensors = SampleTensors.everyType(seed);
      StateDicts.write(file, tensors, Map.of("a", "b"));
      try (StepScope scope = StepScope.open()) {
        TensorFile mapped;
        try (SafetensorsReader reader = SafetensorsReader.open(file)) {
          mapped = reader.map();
        }
        assertEquals(
            SampleTensors.describe(tensors),
            SampleTensors.describe(mapped.tensors()),
            "seed " + seed);
        assertEquals(Map.of("a", "b"), mapped.metadata());
        mapped.close();
      }
    }
  }

  @Test
  void tensorsThatDoNotLieAtAMultipleOfTheirSizeAreReadInstead() throws Exception {
    String header =
        "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
            + "\"s\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":[1,5]}}";
    for (int spaces = 0; spaces < 2; spaces++) {
      Path file =
          HostileBytes.safetensors(header + " ".repeat(spaces), new byte[] {9, 1, 0, 2, 0})
              .write(folder);
      try (SafetensorsReader reader = SafetensorsReader.open(file);
          TensorFile mapped = reader.map()) {
        assertArrayEquals(new long[] {9}, Tensors.toLongs(mapped.tensor("b")));
        assertArrayEquals(new long[] {1, 2}, Tensors.toLongs(mapped.tensor("s")));
      }
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aMappingIsPrivateAndEndsWithItsLastTensor() throws Exception {
    Path file = folder.resolve("a.safetensors");
    Tensor values = Tensors.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
    StateDicts.write(file, Map.of("v", values, "w", values));
    byte[] before = Files.readAllBytes(file);
    TensorFile mapped;
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      mapped = reader.map();
    }
    assertEquals(1, mappings(file));
    mapped.tensor("v").zero_();
    assertArrayEquals(before, Files.readAllBytes(file));
    mapped.tensor("v").close();
    assertEquals(1, mappings(file));
    assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, Tensors.toFloats(mapped.tensor("w")));
    mapped.close();
    assertEquals(0, mappings(file));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void replacingAMappedFileLeavesItsTensorsWhole() throws Exception {
    Path file = folder.resolve("a.safetensors");
    long[] values = new Random(1).longs(100_000).toArray();
    StateDicts.write(file, Map.of("v", Tensors.of(values, values.length)));
    try (SafetensorsReader reader = SafetensorsReader.open(file);
        TensorFile mapped = reader.map()) {
      StateDicts.write(file, Map.of("v", Tensors.of(new long[] {1}, 1)));
      assertArrayEquals(values, Tensors.toLongs(mapped.tensor("v")));
    }
  }

  @Test
  void aFileThatBecameShorterIsNeitherReadNorMapped() throws Exception {
    Path file = folder.resolve("a.safetensors");
    StateDicts.write(file, Map.of("v", Tensors.of(new float[100_000], 100_000)));
    try (SafetensorsReader reader = SafetensorsReader.open(file)) {
      long size = Files.size(file);
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(4096);
      }
      String read = assertThrows(InvalidFileException.class, () -> reader.read("v")).getMessage();
      assertEquals(file + ": it became shorter while it was read", read);
      String mapped = assertThrows(InvalidFileException.class, reader::map).getMessage();
      assertEquals(file + ": it had " + size + " bytes and has 4096 now", mapped);
    }
  }
}
