package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.runtime.Natives;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.testkit.TinyRun;

@ExtendWith(OneThread.class)
class RunFolderTest {
  @TempDir private Path folder;

  private static JsonNode args(Path run) throws IOException {
    return new ObjectMapper(new YAMLFactory()).readTree(run.resolve("args.yaml").toFile());
  }

  @Test
  void argsHoldEveryOption() throws IOException {
    Path run = folder.resolve("a/b");
    TrainConfig config = TinyRun.config(Mode.TARGET, run);
    config = TinyRun.with(config, "scales", Path.of("some: scales #1.pth"));
    config = TinyRun.with(config, "optim.opt", UpdateRule.ADAMW_EXACT);
    config = TinyRun.with(config, "data.dataDir", Path.of("/data"));
    RunFolder opened = RunFolder.check(run);
    try (var lock = opened.lock()) {
      assertTrue(lock != null);
      opened.begin(config, List.of());
    }
    JsonNode args = args(run);
    assertEquals(TinyRun.ARCHITECTURE, Architecture.parse(args.get("arch").asText()));
    assertEquals(Mode.TARGET, Mode.parse(args.get("mode").asText()));
    assertEquals("some: scales #1.pth", args.get("scales").asText());
    assertEquals("tiny", args.get("data").asText());
    assertEquals("/data", args.get("data_dir").asText());
    assertEquals(8, args.get("batch_size").asInt());
    assertEquals(7, args.get("val_batch_size").asInt());
    assertEquals(1, args.get("workers").asInt());
    assertFalse(args.get("no_aug").asBoolean(true));
    assertFalse(args.get("no_flip").asBoolean(true));
    assertEquals("adamw-exact", args.get("opt").asText());
    assertEquals(1.6, args.get("lr").asDouble(), 1e-15);
    assertEquals(0.05, args.get("real_lr").asDouble(), 1e-15);
    assertEquals(0.9, args.get("momentum").asDouble());
    assertEquals(0.9, args.get("opt_betas").get(0).asDouble());
    assertEquals(0.999, args.get("opt_betas").get(1).asDouble());
    assertEquals(1e-8, args.get("opt_eps").asDouble());
    assertEquals(4e-5, args.get("weight_decay").asDouble());
    assertEquals(0, args.get("clip_grad").asDouble(1));
    assertFalse(args.get("allow_clip_with_grad_mults").asBoolean(true));
    assertEquals(1, args.get("grad_accum_steps").asInt());
    assertEquals(0.1, args.get("smoothing").asDouble());
    assertEquals("constant", args.get("sched").asText());
    assertEquals(2, args.get("epochs").asInt());
    assertEquals(0, args.get("warmup_epochs").asDouble(1));
    assertEquals(0, args.get("warmup_lr").asDouble(1));
    assertEquals(0, args.get("min_lr").asDouble(1));
    assertEquals(1, args.get("decay_epochs").asDouble());
    assertEquals(0.1, args.get("decay_rate").asDouble());
    assertEquals(7, args.get("seed").asLong());
    assertEquals("cpu", args.get("device").asText());
    assertEquals("fp32", args.get("precision").asText());
    assertEquals(Natives.threads(), args.get("threads").asInt());
    assertFalse(args.get("deterministic").asBoolean(true));
    assertEquals(0, args.get("model_ema_decay").asDouble(1));
    assertEquals(1, args.get("eval_every").asInt());
    assertEquals(run.toString(), args.get("output").asText());
  }

  @Test
  void whatIsNotGivenIsNull() throws IOException {
    RunFolder.check(folder).begin(TinyRun.config(Mode.HS, folder), List.of());
    assertTrue(args(folder).get("scales").isNull());
    assertTrue(args(folder).get("data_dir").isNull());
  }

  @ParameterizedTest
  @ValueSource(strings = {"en-US", "de-DE", "ar-EG"})
  void theSummaryIsTheSameInEveryCountry(String language) throws IOException {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag(language));
    try {
      RunFolder run = RunFolder.check(folder);
      run.begin(TinyRun.config(Mode.HS, folder), List.of());
      double nan = Double.NaN;
      run.summary(
          List.of(
              new EpochRow(0, 1.5, 0.25, nan, nan, nan, nan, 1e-7, 1234.56, 2),
              new EpochRow(1, 1.25, 0.5, 1.125, 0.75, 1, 0.625, 0.05, 10, 1.5)));
    } finally {
      Locale.setDefault(before);
    }
    assertEquals(
        List.of(
            "epoch,train_loss,train_top1,eval_loss,eval_top1,eval_top5,ema_top1,lr,images_per_second,seconds",
            "0,1.500000,0.250000,,,,,1.0E-7,1234.6,2.000",
            "1,1.250000,0.500000,1.125000,0.750000,1.000000,0.625000,0.05,10.0,1.500"),
        Files.readAllLines(folder.resolve("summary.csv")));
  }

  @Test
  void aRunsSummaryHasARowForEachEpoch() throws IOException {
    Session session = TinyTraining.session(TinyRun.config(Mode.TARGET, folder));
    TrainResult result = TinyTraining.run(session);
    List<String> lines = Files.readAllLines(folder.resolve("summary.csv"));
    assertEquals(3, lines.size());
    String[] cells = lines.get(2).split(",", -1);
    assertEquals(10, cells.length);
    assertEquals(1, Integer.parseInt(cells[0]));
    assertEquals(result.last().trainLoss(), Double.parseDouble(cells[1]), 1e-6);
    assertEquals(result.last().evalTop1(), Double.parseDouble(cells[4]), 1e-6);
    assertEquals("", cells[6]);
    assertEquals(result.last().lr(), Double.parseDouble(cells[7]));
    assertEquals(folder, result.folder());
  }

  @Test
  void weightsSayWhatTheyAre() throws IOException {
    TrainConfig config = TinyRun.with(TinyRun.config(Mode.HS, folder), "run.modelEmaDecay", 0.5);
    Session session = TinyTraining.session(config);
    TrainResult result = TinyTraining.run(session);
    for (String name : List.of("last", "best", "last-ema", "best-ema")) {
      try (TensorFile file = StateDicts.read(folder.resolve(name + ".safetensors"))) {
        var metadata = file.metadata();
        assertEquals("pt", metadata.get("format"));
        assertEquals(TinyRun.ARCHITECTURE, Architecture.parse(metadata.get("architecture")));
        assertEquals(Mode.HS, Mode.parse(metadata.get("mode")));
        assertEquals("6", metadata.get("num_classes"));
        assertEquals("tiny", metadata.get("data"));
        assertEquals(session.network().stateDict().keySet(), file.tensors().keySet());
      }
    }
    try (TensorFile file = StateDicts.read(folder.resolve("last.safetensors"))) {
      assertEquals("1", file.metadata().get("epoch"));
      double top1 = Double.parseDouble(file.metadata().get("eval_top1"));
      assertEquals(result.last().evalTop1(), top1, 1e-6);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"args.yaml", "summary.csv"})
  void aFolderWithARunIsRefusedAndLeftAlone(String file) throws IOException {
    Files.writeString(folder.resolve(file), "kept");
    assertRefused(() -> RunFolder.check(folder), "--output", folder.toString(), "run already");
    assertRefused(() -> TinyTraining.session(TinyRun.config(Mode.TARGET, folder)), "--output");
    assertEquals("kept", Files.readString(folder.resolve(file)));
    try (var entries = Files.list(folder)) {
      assertEquals(1, entries.count());
    }
  }

  /** A folder whose settings were deleted still holds what a run has reached. */
  @Test
  void aFolderWithCheckpointsIsRefused() throws IOException {
    Files.createDirectories(folder.resolve("checkpoints/step-000000000001"));
    assertRefused(() -> RunFolder.check(folder), "--output", folder.toString(), "run already");
    assertEquals(folder, RunFolder.open(folder).path());
    Path other = Files.createDirectory(folder.resolve("other"));
    Files.createDirectory(other.resolve("checkpoints"));
    assertEquals(other, RunFolder.check(other).path());
    Files.delete(other.resolve("checkpoints"));
    Files.writeString(other.resolve("checkpoints"), "a file");
    assertRefused(() -> RunFolder.check(other), "--output", other.toString(), "named checkpoints");
    assertRefused(() -> RunFolder.open(other), "--output", other.toString(), "named checkpoints");
  }

  @Test
  void aRunThatCameInBetweenIsNotWrittenOver() throws IOException {
    RunFolder late = RunFolder.check(folder);
    try (var lock = RunFolder.check(folder).lock()) {
      Files.writeString(folder.resolve("args.yaml"), "kept");
      assertTrue(lock != null);
    }
    assertRefused(late::lock, "--output", folder.toString(), "run already");
    assertEquals("kept", Files.readString(folder.resolve("args.yaml")));
    RunFolder.open(folder).lock().close();
  }

  @Test
  void whatAKilledRunLeftHalfWrittenGoesWithTheNextOne() throws IOException {
    Path half = folder.resolve(".last.safetensors.0f3c2a10-1111-4222-8333-abcdefabcdef.tmp");
    Files.writeString(half, "half");
    RunFolder.open(folder).lock().close();
    assertFalse(Files.exists(half));
  }

  @Test
  void aFileIsRefusedHoweverDeep() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "kept");
    assertRefused(() -> RunFolder.check(file), "--output " + file, "is a file");
    Path below = file.resolve("a/b");
    assertRefused(() -> RunFolder.check(below), "--output " + below, file + " is not a folder");
    assertEquals("kept", Files.readString(file));
  }

  @Test
  void checkingMakesNothing() throws IOException {
    Path run = folder.resolve("x/y/z");
    assertEquals(run, RunFolder.check(run).path());
    assertFalse(Files.exists(folder.resolve("x")));
    assertEquals(Path.of("relative"), RunFolder.check(Path.of("relative")).path());
  }
}
