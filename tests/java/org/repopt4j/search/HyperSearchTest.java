package org.repopt4j.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.BlockScales;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.nn.Scales;
import org.repopt4j.runtime.Natives;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.Session;
import org.repopt4j.train.TrainConfig;
import org.repopt4j.train.TrainListener;
import org.repopt4j.train.TrainResult;
import org.repopt4j.train.Trainer;
import org.repopt4j.train.TrainingDivergedException;

@ExtendWith(OneThread.class)
class HyperSearchTest {
  private static final TrainListener DEAF = new TrainListener() {};

  @TempDir private Path folder;
  private TrainConfig config;

  @BeforeEach
  void write() throws IOException {
    Path data = TinyRun.cifar10(folder.resolve("data"));
    config = TinyRun.config(Mode.HS, folder.resolve("search"));
    config = TinyRun.with(config, "data.data", "cifar10");
    config = TinyRun.with(config, "data.dataDir", data);
    config = TinyRun.with(config, "data.noAug", true);
  }

  private static Map<String, String> metadata(Path file) throws IOException {
    try (TensorFile read = StateDicts.read(file)) {
      return read.metadata();
    }
  }

  @Test
  void theScalesAreThoseOfTheLastWeightsAndSayWhereTheyAreFrom() throws IOException {
    HyperSearch.Result result = HyperSearch.run(config, DEAF, () -> false);
    assertEquals(folder.resolve("search/scales.safetensors"), result.file());
    assertEquals(result.scales(), ScalesFile.read(result.file(), TinyRun.ARCHITECTURE));
    assertEquals(
        result.scales(),
        ScalesFile.read(folder.resolve("search/last.safetensors"), TinyRun.ARCHITECTURE));
    Map<String, String> metadata = metadata(result.file());
    assertEquals(TinyRun.ARCHITECTURE, Architecture.parse(metadata.get("architecture")));
    assertEquals("cifar10", metadata.get("data"));
    assertEquals("2", metadata.get("epochs"));
    assertEquals("true", metadata.get("complete"));
    assertEquals("7", metadata.get("seed"));
    assertEquals("8", metadata.get("batch_size"));
    assertEquals(1.6, Double.parseDouble(metadata.get("lr")), 1e-12);
    assertEquals(
        result.training().last().evalTop1(), Double.parseDouble(metadata.get("eval_top1")));
    assertFalse(result.training().stopped());
  }

  @Test
  void theScalesHaveMovedFromWhereTheyBegan() throws IOException {
    Natives.manualSeed(config.run().seed());
    Network fresh = TinyRun.ARCHITECTURE.hs(10);
    Scales beginning = Scales.of(fresh);
    Scales found = HyperSearch.run(config, DEAF, () -> false).scales();
    for (BlockScales block : found.blocks()) {
      for (String name : block.names()) {
        float[] before = beginning.block(block.block()).values(name);
        float[] after = block.values(name);
        double moved = 0;
        for (int o = 0; o < before.length; o++) {
          moved += Math.abs(after[o] - before[o]);
        }
        assertTrue(moved > 1e-3, block.block() + "." + name + " moved by " + moved);
      }
    }
  }

  @Test
  void theSameSeedFindsTheSameScales() throws IOException {
    Scales first = HyperSearch.run(config, DEAF, () -> false).scales();
    TrainConfig again = config.withOutput(folder.resolve("again"));
    assertEquals(first, HyperSearch.run(again, DEAF, () -> false).scales());
    TrainConfig other = TinyRun.with(config, "run.seed", 8L).withOutput(folder.resolve("other"));
    assertNotEquals(first, HyperSearch.run(other, DEAF, () -> false).scales());
  }

  @Test
  void aStopAtOnceLeavesTheScalesOfOneStep() throws IOException {
    HyperSearch.Result result = HyperSearch.run(config, DEAF, () -> true);
    assertTrue(result.training().stopped());
    assertEquals(0, result.training().last().epoch());
    assertEquals(result.scales(), ScalesFile.read(result.file(), TinyRun.ARCHITECTURE));
    assertEquals(
        result.scales(),
        ScalesFile.read(folder.resolve("search/last.safetensors"), TinyRun.ARCHITECTURE));
    assertEquals("false", metadata(result.file()).get("complete"));
    assertTrue(Double.isNaN(Double.parseDouble(metadata(result.file()).get("eval_top1"))));
  }

  @Test
  void searchedScalesTrainATarget() throws IOException {
    Path file = HyperSearch.run(config, DEAF, () -> false).file();
    TrainConfig target =
        TinyRun.with(
            TinyRun.with(config, "mode", Mode.TARGET).withOutput(folder.resolve("target")),
            "scales",
            file);
    Scales scales = ScalesFile.read(file, target.arch());
    Session session = Session.open(target, Optional.of(scales));
    TrainResult trained = new Trainer(target, session, DEAF, () -> false).run();
    assertTrue(Double.isFinite(trained.last().evalLoss()));
    assertTrue(Files.exists(folder.resolve("target/best.safetensors")));
  }

  @Test
  void anotherModeIsRefusedBeforeAnythingIsMade() {
    for (Mode mode : new Mode[] {Mode.TARGET, Mode.CSLA, Mode.MULTI_BRANCH}) {
      assertRefused(
          () -> HyperSearch.run(config.withMode(mode), DEAF, () -> false), "hs", "" + mode);
    }
    assertFalse(Files.exists(folder.resolve("search")));
  }

  @Test
  void aSearchThatDivergesLeavesNoScales() {
    TrainConfig wild = TinyRun.with(config, "optim.lr", 1e30);
    assertThrows(TrainingDivergedException.class, () -> HyperSearch.run(wild, DEAF, () -> false));
    assertFalse(Files.exists(folder.resolve("search/scales.safetensors")));
  }
}
