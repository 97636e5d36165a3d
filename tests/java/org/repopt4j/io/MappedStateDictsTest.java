package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

class MappedStateDictsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"a.pth", "a.safetensors"})
  void mappedTensorsAreTheOnesThatWouldBeRead(String name) throws Exception {
    Path file = folder.resolve(name);
    for (long seed = 0; seed < 10; seed++) {
      Map<String, Tensor> tensors = SampleTensors.everyType(seed);
      StateDicts.write(file, tensors);
      try (TensorFile mapped = StateDicts.map(file)) {
        assertEquals(
            SampleTensors.describe(tensors),
            SampleTensors.describe(mapped.tensors()),
            "seed " + seed);
      }
    }
  }

  @Test
  void filesOfPythonAreMappedAsPythonReadsThem() throws Exception {
    PythonTorch.tensorFiles("make", folder);
    for (String name :
        List.of("every-type", "views", "negated", "checkpoint", "ddp", "protocol-5")) {
      Path file = folder.resolve(name + ".pth");
      try (TensorFile mapped = StateDicts.map(file)) {
        assertEquals(
            Files.readAllLines(Path.of(file + ".txt")), SampleTensors.describe(mapped.tensors()));
      }
    }
    try (TensorFile mapped = StateDicts.map(folder.resolve("views.pth"))) {
      mapped.tensor("base").zero_();
      assertEquals(119.0f, Tensors.toFloats(mapped.tensor("tied"))[119], "memory of its own");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.pth", "a.safetensors"})
  @EnabledOnOs(OS.LINUX)
  void aMappingIsPrivateAndEndsWithItsLastTensor(String name) throws Exception {
    Path file = folder.resolve(name);
    Tensor values = Tensors.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
    StateDicts.write(file, Map.of("v", values, "w", values));
    byte[] before = Files.readAllBytes(file);
    TensorFile mapped;
    try (StepScope scope = StepScope.open()) {
      mapped = StateDicts.map(file);
    }
    assertEquals(1, SafetensorsReaderTest.mappings(file));
    mapped.tensor("v").zero_();
    assertArrayEquals(before, Files.readAllBytes(file));
    mapped.tensor("v").close();
    assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, Tensors.toFloats(mapped.tensor("w")));
    mapped.close();
    assertEquals(0, SafetensorsReaderTest.mappings(file));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.pth", "a.safetensors"})
  @EnabledOnOs(OS.LINUX)
  void aFileThatFitsIntoMemoryMayBeCutShort(String name) throws Exception {
    Path file = folder.resolve(name);
    Map<String, Tensor> tensors = SampleTensors.everyType(3);
    StateDicts.write(file, tensors);
    try (TensorFile read = StateDicts.readOrMap(file)) {
      assertEquals(0, SafetensorsReaderTest.mappings(file));
      Files.newByteChannel(file, StandardOpenOption.WRITE).truncate(0).close();
      assertEquals(SampleTensors.describe(tensors), SampleTensors.describe(read.tensors()));
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aFileThatMayNotFitIntoMemoryIsMapped() throws Exception {
    Path file = folder.resolve("sparse.safetensors");
    long bytes = 1L << 30;
    byte[] header =
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[%1$d],\"data_offsets\":[0,%1$d]}}"
            .formatted(bytes)
            .getBytes(StandardCharsets.US_ASCII);
    ByteBuffer start = ByteBuffer.allocate(8 + header.length).order(ByteOrder.LITTLE_ENDIAN);
    start.putLong(header.length).put(header).flip();
    try (SeekableByteChannel channel =
        Files.newByteChannel(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      channel.write(start);
      channel.position(start.limit() + bytes - 1).write(ByteBuffer.wrap(new byte[] {7}));
    }
    try (TensorFile mapped = StateDicts.readOrMap(file)) {
      assertEquals(1, SafetensorsReaderTest.mappings(file));
      assertEquals(bytes, mapped.tensor("w").numel());
      try (StepScope scope = StepScope.open()) {
        assertEquals(7, mapped.tensor("w").narrow(0, bytes - 1, 1).item_int());
      }
    }
  }

  @Test
  void shardsAreMappedInTheOrderOfTheIndex() throws Exception {
    Tensor one = Tensors.of(new float[] {1}, 1);
    Tensor two = Tensors.of(new float[] {2}, 1);
    StateDicts.write(folder.resolve("m-1.safetensors"), Map.of("a", one, "c", two));
    StateDicts.write(folder.resolve("m-2.safetensors"), Map.of("b", two, "unused", one));
    Path index = folder.resolve("m.safetensors.index.json");
    Files.writeString(
        index,
        "{\"weight_map\":{\"c\":\"m-1.safetensors\",\"b\":\"m-2.safetensors\",\"a\":\"m-1.safetensors\"}}");
    try (TensorFile mapped = StateDicts.map(index)) {
      assertEquals(List.of("c", "b", "a"), List.copyOf(mapped.tensors().keySet()));
      assertArrayEquals(new float[] {1}, Tensors.toFloats(mapped.tensor("a")));
      assertArrayEquals(new float[] {2}, Tensors.toFloats(mapped.tensor("b")));
    }
  }
}
