package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.Natives;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.CheckpointSettings.Interval;
import org.repopt4j.train.CheckpointSettings.OnDiskFull;
import org.repopt4j.train.CheckpointSettings.OnNan;
import org.repopt4j.train.RunSettings.Precision;

/** A run that is stopped and resumed ends bit for bit where one that never stopped does. */
@Tag("slow")
class ResumeTest {
  @TempDir Path folder;

  private final List<String> notices = new ArrayList<>();

  static CheckpointSettings settings(String every, String resume, OnNan onNan) {
    return new CheckpointSettings(
        Interval.parse(every),
        2,
        Optional.ofNullable(resume),
        false,
        false,
        onNan,
        0,
        OnDiskFull.CONTINUE);
  }

  private static TrainConfig config(long seed, Path output) {
    Random random = new Random(seed);
    TrainConfig config = TinyRun.config(random.nextBoolean() ? Mode.HS : Mode.TARGET, output);
    config = TinyRun.with(config, "run.seed", seed);
    config = TinyRun.with(config, "run.deterministic", true);
    config = TinyRun.with(config, "run.modelEmaDecay", random.nextBoolean() ? 0.9 : 0.0);
    config = TinyRun.with(config, "optim.gradAccumSteps", 1 + random.nextInt(2));
    config = TinyRun.with(config, "schedule.epochs", 3);
    if (random.nextBoolean()) {
      config = TinyRun.with(config, "optim.opt", UpdateRule.ADAMW_EXACT);
      config = TinyRun.with(config, "optim.lr", 0.03);
    }
    if (seed % 3 == 0) {
      config = TinyRun.with(config, "run.precision", Precision.FP16);
    }
    config = TinyRun.with(config, "run.recompute", seed % 4 == 0);
    return TinyRun.with(config, "run.evalEvery", 1 + random.nextInt(2));
  }

  /** Counts how often it is asked, and says stop from the given time on. */
  private TrainResult train(TrainConfig config, String resume, int stopAt) throws IOException {
    Natives.manualSeed(config.run().seed());
    Network network = config.arch().build(config.mode(), TinyRun.CLASSES.size());
    GradMults mults =
        config.mode() == Mode.TARGET
            ? network.reinitialize(TinyTraining.scales(3))
            : GradMults.none();
    CheckpointSettings settings = settings("2", resume, OnNan.STOP);
    Session session = Session.of(config, TinyRun.data(), network, mults, settings);
    AtomicInteger asked = new AtomicInteger();
    TrainListener listener =
        new TrainListener() {
          @Override
          public void notice(String sentence) {
            notices.add(sentence);
          }
        };
    TrainResult result =
        new Trainer(
                config,
                session,
                settings,
                new FileStorage(),
                listener,
                () -> asked.incrementAndGet() >= stopAt)
            .run();
    last = session;
    return result;
  }

  private Session last;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void resumedOftenItEndsWhereOneThatNeverStoppedDoes(long seed) throws IOException {
    TrainConfig whole = config(seed, folder.resolve("whole"));
    TrainResult expected = train(whole, null, Integer.MAX_VALUE);
    Session never = last;
    TrainConfig broken = config(seed, folder.resolve("broken"));
    Random random = new Random(seed);
    TrainResult result = train(broken, null, 1 + random.nextInt(12));
    int pieces = 1;
    while (result.stopped()) {
      result = train(broken, "auto", 1 + random.nextInt(12));
      assertTrue(++pieces < 100, "it does not get on");
    }
    assertEquals(expected.bestTop1(), result.bestTop1());
    assertStates(never.network().stateDict(), last.network().stateDict());
    assertStates(never.optimizer().state().tensors(), last.optimizer().state().tensors());
    assertEquals(never.optimizer().state().steps(), last.optimizer().state().steps());
    assertEquals(never.optimizer().learningRate(), last.optimizer().learningRate());
    assertEquals(never.gradientStep().scaler(), last.gradientStep().scaler());
    assertEquals(never.ema().isPresent(), last.ema().isPresent());
    if (never.ema().isPresent()) {
      assertStates(never.ema().get().network().stateDict(), last.ema().get().network().stateDict());
    }
    assertEquals(summary("whole"), summary("broken"));
    for (String file : List.of("last", "best")) {
      assertEquals(
          -1,
          Files.mismatch(
              folder.resolve("whole/" + file + ".safetensors"),
              folder.resolve("broken/" + file + ".safetensors")),
          file);
    }
  }

  private static void assertStates(Map<String, Tensor> expected, Map<String, Tensor> actual) {
    assertEquals(expected.keySet(), actual.keySet());
    expected.forEach((name, tensor) -> assertBitEqual(name, tensor, actual.get(name)));
  }

  /** Without the two columns that are times. */
  private List<String> summary(String run) throws IOException {
    return Files.readAllLines(folder.resolve(run).resolve("summary.csv")).stream()
        .map(line -> line.replaceAll(",[^,]*,[^,]*$", ""))
        .toList();
  }

  @Test
  void changedSettingsAreListedAndRefused() throws IOException {
    TrainConfig config = config(4, folder.resolve("run"));
    assertTrue(train(config, null, 5).stopped());
    TrainConfig other = TinyRun.with(config, "optim.weightDecay", 0.5);
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> train(other, "auto", 5));
    assertTrue(
        refused.getMessage().contains("weight_decay was 4.0E-5, is 0.5"), refused::getMessage);
    notices.clear();
    assertTrue(train(TinyRun.with(config, "data.workers", 2), "auto", 2).stopped());
    assertTrue(notices.contains("changed: workers was 1, is 2"), notices::toString);
  }

  @Test
  void damagedCheckpointsAreNamedAndSkipped() throws IOException {
    TrainConfig config = config(5, folder.resolve("run"));
    assertTrue(train(config, null, 11).stopped());
    List<Path> checkpoints;
    try (var list = Files.list(folder.resolve("run/checkpoints"))) {
      checkpoints = list.sorted().toList();
    }
    assertEquals(2, checkpoints.size(), checkpoints::toString);
    Files.write(checkpoints.get(1).resolve("model.safetensors"), new byte[] {1, 2, 3});
    notices.clear();
    train(config, "auto", Integer.MAX_VALUE);
    assertTrue(notices.get(0).contains("is skipped"), notices::toString);
    assertTrue(notices.get(1).startsWith("resuming after step"), notices::toString);
  }

  @Test
  void twoRunsDoNotShareAFolder() throws IOException {
    TrainConfig config = config(6, folder.resolve("run"));
    Session session = TinyTraining.session(config);
    try (var lock = session.folder().lock()) {
      IllegalArgumentException refused =
          assertThrows(IllegalArgumentException.class, () -> TinyTraining.run(session));
      assertTrue(refused.getMessage().contains("another run is writing"), refused::getMessage);
      assertTrue(lock != null);
    }
  }
}
