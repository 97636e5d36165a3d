package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.runtime.Tensors;

class PthWriterTest {
  @TempDir Path folder;

  @Test
  void everyTypeComesBackBitForBitAndInOrder() throws Exception {
    Path file = folder.resolve("a.pth");
    for (long seed = 0; seed < 10; seed++) {
      Map<String, Tensor> tensors = SampleTensors.everyType(seed);
      StateDicts.write(file, tensors);
      try (TensorFile read = StateDicts.read(file)) {
        assertEquals(
            SampleTensors.describe(tensors),
            SampleTensors.describe(read.tensors()),
            "seed " + seed);
      }
    }
  }

  @Test
  void pythonReadsEveryType() throws Exception {
    Path file = folder.resolve("a.pth");
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Random random = new Random(2);
    for (Dtype dtype : Dtype.values()) {
      tensors.put(
          "z" + random.nextInt(100) + " ü " + dtype, SampleTensors.bits(random, dtype, 70, 5));
      tensors.put("0-d " + dtype, SampleTensors.bits(random, dtype));
      tensors.put("empty " + dtype, SampleTensors.bits(random, dtype, 2, 0));
    }
    tensors.put("view", Tensors.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3).t());
    PthWriter.write(file, tensors);
    assertEquals(SampleTensors.describe(tensors), PythonTorch.tensorFiles("describe", file));
  }

  @Test
  void pythonLoadsItStrictlyAndWithWeightsOnly() throws Exception {
    PythonTorch.tensorFiles("make", folder);
    Path copy = folder.resolve("copy.pth");
    try (TensorFile module = StateDicts.read(folder.resolve("module.pth"))) {
      StateDicts.write(copy, module.tensors());
    }
    assertEquals(
        List.of("<All keys matched successfully>"), PythonTorch.tensorFiles("strict", copy));
    assertEquals(
        Files.readAllLines(folder.resolve("module.pth.txt")),
        PythonTorch.tensorFiles("describe", copy));
  }

  @Test
  void theSameTensorsGiveTheSameBytes() throws Exception {
    Map<String, Tensor> tensors = SampleTensors.everyType(3);
    PthWriter.write(folder.resolve("a.pth"), tensors);
    PthWriter.write(folder.resolve("b.pt"), tensors);
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("a.pth")), Files.readAllBytes(folder.resolve("b.pt")));
  }

  @Test
  void nothingToWriteIsTheCallersFault() {
    Path file = folder.resolve("a.pth");
    assertThrows(IllegalArgumentException.class, () -> PthWriter.write(file, Map.of()));
  }
}
