package org.repopt4j.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;

import com.google.common.primitives.Floats;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.repopt4j.io.InvalidFileException;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.BlockSpec;
import org.repopt4j.nn.Scales;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.Shared;
import org.repopt4j.testkit.TinyRun;

class ScalesFileTest {
  @TempDir private Path folder;

  private static Scales scales() {
    return Scales.of(TinyRun.ARCHITECTURE.hs(3));
  }

  @Test
  void whatIsWrittenReadsBackEqualWithItsProvenance() throws IOException {
    Path file = folder.resolve("scales.safetensors");
    ScalesFile.write(file, scales(), Map.of("architecture", "x", "seed", "17"));
    assertEquals(scales(), ScalesFile.read(file, TinyRun.ARCHITECTURE));
    try (TensorFile raw = StateDicts.read(file)) {
      assertEquals(Map.of("format", "pt", "architecture", "x", "seed", "17"), raw.metadata());
      for (BlockSpec spec : TinyRun.ARCHITECTURE.blocks()) {
        for (String name : spec.scaleNames()) {
          assertEquals(spec.shape().out(), raw.tensor(spec.name() + "." + name).numel());
        }
      }
    }
  }

  @Test
  void aWholeHyperSearchCheckpointWillDo() throws IOException {
    Path file = folder.resolve("latest.pth");
    var network = TinyRun.ARCHITECTURE.hs(3);
    StateDicts.write(file, network.stateDict());
    assertEquals(Scales.of(network), ScalesFile.read(file, TinyRun.ARCHITECTURE));
  }

  @ParameterizedTest
  @CsvSource({
    "RepOpt-VGG-B1-scales.pth, RepOpt-VGG-B1, stage4.0, scale_conv.weight",
    "RepOpt-VGG-B2-scales.pth, RepOpt-VGG-B2, stage4.0, scale_1x1.weight",
    "RepOpt-VGG-L1-scales.pth, RepOpt-VGG-L1, stage3.23, scale_identity.weight",
    "RepOpt-VGG-L2-scales.pth, RepOpt-VGG-L2, stage1.0, scale_conv.weight",
    "RepOptGhostNet_0_5x_scales.pth, RepOpt-GhostNet-0.5x, blocks.0.0.ghost1, fusion_scale.weight"
  })
  void theReleasedScalesFitTheirArchitectures(
      String name, String architecture, String block, String member) throws IOException {
    Path file = Shared.path("official-scales/" + name);
    Scales scales = ScalesFile.read(file, Architecture.named(architecture));
    assertEquals(Architecture.named(architecture).blocks().size(), scales.blocks().size());
    try (TensorFile raw = StateDicts.read(file)) {
      float[] expected = Tensors.toFloats(raw.tensor(block + "." + member));
      assertEquals(box(expected), box(scales.block(block).values(member)));
    }
    // They survive the library's own format, bit for bit.
    Path copy = folder.resolve("copy.safetensors");
    ScalesFile.write(copy, scales, Map.of());
    assertEquals(scales, ScalesFile.read(copy, Architecture.named(architecture)));
  }

  private static List<Float> box(float[] values) {
    return Floats.asList(values);
  }

  /** B2 is wider from the first stage on; L1 has more blocks in it. */
  @ParameterizedTest
  @CsvSource({
    "RepOpt-VGG-B1-scales.pth, RepOpt-VGG-B2, stage1.0",
    "RepOpt-VGG-B2-scales.pth, RepOpt-VGG-B1, stage1.0",
    "RepOpt-VGG-L1-scales.pth, RepOpt-VGG-B1, stage1.4",
    "RepOpt-VGG-B1-scales.pth, RepOpt-VGG-L1, stage1.4",
    "RepOptGhostNet_0_5x_scales.pth, RepOpt-GhostNet-1.0x, blocks.0.0.ghost1",
    "RepOptGhostNet_0_5x_scales.pth, RepOpt-VGG-B1, stage0"
  })
  void scalesOfAnotherArchitectureAreRefusedByTheFirstBlockThatDiffers(
      String name, String architecture, String block) {
    Path file = Shared.path("official-scales/" + name);
    assertRefused(
        () -> ScalesFile.read(file, Architecture.named(architecture)),
        file.toString(),
        architecture,
        "block " + block);
  }

  @Test
  void aSearchedFileSaysWhatItWasSearchedFor() throws IOException {
    Path file = folder.resolve("s.safetensors");
    ScalesFile.write(file, scales(), Map.of("architecture", "tiny\none"));
    assertRefused(
        () -> ScalesFile.read(file, Architecture.named("RepOpt-VGG-A0")),
        file.toString(),
        "block stage0",
        "searched for tiny?one");
  }

  @Test
  void aFileWithoutScalesIsRefusedByName() throws IOException {
    Path weights = folder.resolve("weights.safetensors");
    StateDicts.write(weights, TinyRun.ARCHITECTURE.target(3).stateDict());
    assertRefused(
        () -> ScalesFile.read(weights, TinyRun.ARCHITECTURE), weights.toString(), "no scales");

    Path text = Files.writeString(folder.resolve("notes.txt"), "These are no scales.");
    assertUnreadable(text);
    assertUnreadable(folder.resolve("missing.pth"));
    assertUnreadable(folder);
  }

  private static void assertUnreadable(Path file) {
    String message =
        assertThrows(InvalidFileException.class, () -> ScalesFile.read(file, TinyRun.ARCHITECTURE))
            .getMessage();
    assertTrue(message.startsWith(file + ": "), message);
    assertFalse(message.contains("\n"), message);
  }
}
