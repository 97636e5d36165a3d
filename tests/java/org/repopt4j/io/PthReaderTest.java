package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.io.HostileBytes.Pickle;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.Shared;

/** Reads what torch.save wrote in this very run. */
class PthReaderTest {
  @TempDir static Path folder;

  @BeforeAll
  static void letPythonSave() throws Exception {
    PythonTorch.tensorFiles("make", folder);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "every-type",
        "protocol-3",
        "protocol-4",
        "protocol-5",
        "views",
        "negated",
        "module",
        "ddp",
        "checkpoint",
        "nested",
        "tutorial"
      })
  void namesOrderTypesShapesAndBitsArePythons(String name) throws Exception {
    List<String> expected = Files.readAllLines(folder.resolve(name + ".pth.txt"));
    try (TensorFile read = StateDicts.read(folder.resolve(name + ".pth"))) {
      assertEquals(expected, SampleTensors.describe(read.tensors()));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "RepOpt-VGG-B1-scales",
        "RepOpt-VGG-B2-scales",
        "RepOpt-VGG-L1-scales",
        "RepOpt-VGG-L2-scales",
        "RepOptGhostNet_0_5x_scales"
      })
  void theReleasedScalesAreReadAsPythonReadsThem(String name) throws Exception {
    Path file = Shared.path("official-scales/" + name + ".pth");
    List<String> expected = PythonTorch.tensorFiles("describe", file);
    try (TensorFile read = StateDicts.read(file)) {
      assertTrue(read.tensors().size() > 50);
      assertEquals(expected, SampleTensors.describe(read.tensors()));
      assertEquals(List.of(), read.skipped());
    }
  }

  @Test
  void whatIsNotTheStateDictIsSkippedAndReported() throws Exception {
    try (TensorFile read = StateDicts.read(folder.resolve("checkpoint.pth"))) {
      assertEquals(
          List.of(
              "optimizer (dict)",
              "lr_scheduler (dict)",
              "max_accuracy (float)",
              "epoch (int)",
              "config (yacs.config.CfgNode)",
              "args (argparse.Namespace)",
              "best (numpy.core.multiarray.scalar)",
              "history (numpy.core.multiarray._reconstruct)",
              "rng_state (tensor)",
              "big (int)",
              "device (torch.device)",
              "milestones (collections.Counter)",
              "names (__builtin__.set)",
              "epochs (__builtin__.xrange)",
              "seen (collections.defaultdict)",
              "saved (datetime.datetime)"),
          read.skipped());
    }
  }

  @Test
  void ofManySkippedNamesAHundredAreSaid() throws Exception {
    Pickle pickle = new Pickle();
    for (int i = 0; i < 300; i++) {
      pickle.text("k" + i).op('N');
    }
    try (TensorFile read = StateDicts.read(HostileBytes.pth(Pickle.dict(pickle)).write(folder))) {
      assertEquals(101, read.skipped().size());
      assertEquals("k99 (None)", read.skipped().get(99));
      assertEquals("and 200 more", read.skipped().get(100));
    }
  }

  @Test
  void everyTensorIsDenseAndHasMemoryOfItsOwn() throws Exception {
    try (TensorFile read = StateDicts.read(folder.resolve("views.pth"))) {
      for (Tensor tensor : read.tensors().values()) {
        assertTrue(tensor.is_contiguous());
      }
      read.tensor("base").zero_();
      assertEquals(119.0f, Tensors.toFloats(read.tensor("tied"))[119]);
      assertArrayEquals(new float[] {5, 6, 7}, firstThree(read.tensor("slice")));
      read.tensor("expanded").narrow(1, 0, 1).zero_();
      assertArrayEquals(new float[] {0, 1, 1}, firstThree(read.tensor("expanded")));
    }
  }

  private static float[] firstThree(Tensor tensor) {
    return java.util.Arrays.copyOf(Tensors.toFloats(tensor), 3);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          no-tensors.pth | without tensors by name
          bare-tensor.pth | it holds a tensor without tensors by name
          whole-module.pth | it names '__main__.SomeNet', which no state dict needs
          legacy.pth | before 1.6; read it in Python with torch.load and save it again
          legacy-4.pth | before 1.6; read it in Python with torch.load and save it again
          script.pt | it is a TorchScript archive
          """)
  void whatIsNoStateDictIsRefusedWithAWayOut(String name, String sentence) {
    Path file = folder.resolve(name);
    InvalidFileException e = assertThrows(InvalidFileException.class, () -> StateDicts.read(file));
    assertTrue(e.getMessage().contains(sentence), e.getMessage());
  }
}
