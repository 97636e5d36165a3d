package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.runtime.Tensors;

class SafetensorsWriterTest {
  @TempDir Path folder;

  @Test
  void everyTypeComesBackBitForBitAndInOrder() throws Exception {
    Path file = folder.resolve("a.safetensors");
    for (long seed = 0; seed < 10; seed++) {
      Map<String, Tensor> tensors = SampleTensors.everyType(seed);
      Map<String, String> metadata = new LinkedHashMap<>();
      metadata.put("z", "last first");
      metadata.put("a", "ü\n\"");
      SafetensorsWriter.write(file, tensors, metadata);
      try (TensorFile read = StateDicts.read(file)) {
        assertEquals(
            SampleTensors.describe(tensors),
            SampleTensors.describe(read.tensors()),
            "seed " + seed);
        assertEquals(
            new ArrayList<>(metadata.entrySet()), new ArrayList<>(read.metadata().entrySet()));
        assertEquals(List.of(), read.skipped());
      }
    }
  }

  @Test
  void pythonFindsTheRulesKept() throws Exception {
    Path file = folder.resolve("a.safetensors");
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Random random = new Random(1);
    for (Dtype dtype : List.of(Dtype.U8, Dtype.F16, Dtype.BOOL, Dtype.F64, Dtype.BF16, Dtype.F32)) {
      tensors.put("ü" + dtype, SampleTensors.bits(random, dtype, 3, 1));
    }
    SafetensorsWriter.write(file, tensors, Map.of("step", "5"));
    List<String> expected = new ArrayList<>(SampleTensors.describe(tensors));
    expected.add("step=5");
    assertEquals(expected, PythonTorch.tensorFiles("describe", file));
  }

  @Test
  void theHeaderIsWhatTheFormatSays() throws Exception {
    Path file = folder.resolve("a.safetensors");
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("small", Tensors.empty(ScalarType.Char, Tensors.cpu(), 3));
    tensors.put("large", Tensors.of(new double[] {1, 2}, 2, 1));
    SafetensorsWriter.write(file, tensors, Map.of());
    byte[] bytes = Files.readAllBytes(file);
    String header =
        "{\"small\":{\"dtype\":\"I8\",\"shape\":[3],\"data_offsets\":[16,19]},"
            + "\"large\":{\"dtype\":\"F64\",\"shape\":[2,1],\"data_offsets\":[0,16]}}";
    String padded = header + " ".repeat((8 - header.length() % 8) % 8);
    assertEquals(padded.length(), bytes[0] + 256 * bytes[1]);
    assertEquals(padded, new String(bytes, 8, padded.length(), StandardCharsets.UTF_8));
    assertEquals(8 + padded.length() + 19, bytes.length);
  }

  @Test
  void viewsAndNoTensorsAtAllCanBeWritten() throws Exception {
    Path file = folder.resolve("a.safetensors");
    Tensor transposed = Tensors.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3).t();
    SafetensorsWriter.write(file, Map.of("t", transposed), Map.of());
    try (TensorFile read = StateDicts.read(file)) {
      assertEquals(
          "[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]",
          java.util.Arrays.toString(Tensors.toFloats(read.tensor("t"))));
    }
    SafetensorsWriter.write(file, Map.of(), Map.of());
    assertTrue(StateDicts.read(file).tensors().isEmpty());
  }

  @Test
  void theCallersFaultsAreSentences() {
    Path file = folder.resolve("a.safetensors");
    Tensor one = Tensors.of(new float[1], 1);
    assertEquals(
        "a tensor must not be called '__metadata__'", fault(file, Map.of("__metadata__", one)));
    assertTrue(fault(file, Map.of("\ud800", one)).contains("surrogate"));
    Tensor complex = Tensors.empty(ScalarType.ComplexFloat, Tensors.cpu(), 1);
    assertTrue(fault(file, Map.of("c", complex)).contains("ComplexFloat cannot be written"));
    assertTrue(fault(file, Map.of("s", one.to_sparse())).contains("sparse"));
    assertTrue(Files.notExists(file));
  }

  private static String fault(Path file, Map<String, Tensor> tensors) {
    return assertThrows(
            IllegalArgumentException.class, () -> SafetensorsWriter.write(file, tensors, Map.of()))
        .getMessage();
  }
}
