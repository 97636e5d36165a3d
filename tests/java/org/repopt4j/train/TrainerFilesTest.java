package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToDoubleFunction;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.testkit.TinyRun;

/** What a run leaves, however it ends. */
@ExtendWith(OneThread.class)
class TrainerFilesTest {
  @TempDir private Path folder;

  private TrainConfig config() {
    return TinyRun.config(Mode.TARGET, folder.resolve("run"));
  }

  /** Everything that a listener hears. */
  private static class Heard implements TrainListener {
    final List<EpochRow> rows = new ArrayList<>();
    final List<Progress> progress = new ArrayList<>();
    final List<Long> stopped = new ArrayList<>();
    Start start;

    @Override
    public void started(Start value) {
      start = value;
    }

    @Override
    public void progress(Progress value) {
      progress.add(value);
    }

    @Override
    public void epochFinished(EpochRow row) {
      rows.add(row);
    }

    @Override
    public void stopped(long step) {
      stopped.add(step);
    }
  }

  /** Six steps an epoch: in the middle of the first, at its end, in the second. */
  @ParameterizedTest
  @ValueSource(ints = {1, 4, 6, 9})
  void aStopEndsAfterTheStepInHandAndKeepsWhatWasReached(int steps) throws IOException {
    Session session = TinyTraining.session(config());
    Heard heard = new Heard();
    AtomicInteger trained = new AtomicInteger();
    // What a BN counts are the training steps; questions of the evaluation do not matter.
    Tensor counter = session.network().stateDict().get("stage0.bn.num_batches_tracked");
    TrainResult result =
        TinyTraining.run(
            session,
            heard,
            () -> {
              trained.set((int) Tensors.toLongs(counter)[0]);
              return trained.get() >= steps;
            });
    assertTrue(result.stopped());
    assertEquals(steps, trained.get());
    assertEquals(List.of((long) steps), heard.stopped);
    int epochs = (steps - 1) / 6 + 1;
    assertEquals(epochs, heard.rows.size());
    assertEquals(heard.rows.get(epochs - 1), result.last());
    assertEquals(epochs - 1, result.last().epoch());
    assertTrue(Double.isNaN(result.last().evalTop1()));
    assertTrue(Double.isNaN(result.last().evalLoss()));
    assertTrue(result.last().trainLoss() > 0);
    Path run = session.folder().path();
    assertEquals(epochs > 1, Files.exists(run.resolve("best.safetensors")));
    assertEquals(epochs > 1, Double.isFinite(result.bestTop1()));
    assertEquals(1 + epochs, Files.readAllLines(run.resolve("summary.csv")).size());
    Map<String, Tensor> last = TinyTraining.load(session, "last.safetensors").stateDict();
    session
        .network()
        .stateDict()
        .forEach((name, tensor) -> assertBitEqual(name, tensor, last.get(name)));
    EpochRow row = result.last();
    TrainListener.Progress end = heard.progress.get(heard.progress.size() - 1);
    assertEquals(row.trainLoss(), end.loss());
    assertEquals((steps - 1) % 6 + 1, end.step());
  }

  @Test
  void anEvaluationThatWasCutShortSaysNothing() throws IOException {
    Session session = TinyTraining.session(config());
    AtomicInteger asked = new AtomicInteger();
    TrainResult result = TinyTraining.run(session, new Heard(), () -> asked.incrementAndGet() > 7);
    assertTrue(result.stopped());
    assertTrue(Double.isNaN(result.last().evalTop1()));
    assertTrue(Double.isInfinite(result.bestTop1()));
    assertFalse(Files.exists(session.folder().path().resolve("best.safetensors")));
    assertTrue(Files.exists(session.folder().path().resolve("last.safetensors")));
  }

  @Test
  void lastAndBestWeightsEvaluateToWhatWasRecorded() throws IOException {
    TrainConfig config = TinyRun.with(config(), "schedule.epochs", 9);
    // An average so slow that it is best after the network has been.
    Session session = TinyTraining.session(TinyRun.with(config, "run.modelEmaDecay", 0.97));
    Heard heard = new Heard();
    TrainResult result = TinyTraining.run(session, heard, () -> false);
    assertFalse(result.stopped());
    assertEquals(9, heard.rows.size());
    assertTrue(result.bestTop1() > 0.5, "it learns: " + heard.rows);
    check(session, "last", heard.rows.get(8), EpochRow::evalTop1);
    check(session, "last-ema", heard.rows.get(8), EpochRow::emaTop1);
    EpochRow best = best(heard.rows, EpochRow::evalTop1);
    EpochRow bestEma = best(heard.rows, EpochRow::emaTop1);
    assertNotEquals(best.epoch(), bestEma.epoch(), "choose another decay: " + heard.rows);
    check(session, "best", best, EpochRow::evalTop1);
    check(session, "best-ema", bestEma, EpochRow::emaTop1);
    assertEquals(Math.max(best.evalTop1(), bestEma.emaTop1()), result.bestTop1());
  }

  private static EpochRow best(List<EpochRow> rows, ToDoubleFunction<EpochRow> top1) {
    // The first of equals: later ones are not better.
    return rows.stream()
        .max(Comparator.comparingDouble(top1).thenComparing(row -> -row.epoch()))
        .orElseThrow();
  }

  private static void check(
      Session session, String name, EpochRow row, ToDoubleFunction<EpochRow> top1)
      throws IOException {
    Network network = TinyTraining.load(session, name + ".safetensors");
    assertEquals(top1.applyAsDouble(row), TinyTraining.evaluate(session, network).top1(), name);
    try (TensorFile file =
        StateDicts.read(session.folder().path().resolve(name + ".safetensors"))) {
      assertEquals(Integer.toString(row.epoch()), file.metadata().get("epoch"), name);
      assertEquals(
          top1.applyAsDouble(row),
          Double.parseDouble(file.metadata().get("eval_top1")),
          1e-6,
          name);
    }
  }

  @Test
  void evaluationComesEverySoManyEpochsAndAtTheEnd() throws IOException {
    TrainConfig config = TinyRun.with(config(), "schedule.epochs", 5);
    Session session = TinyTraining.session(TinyRun.with(config, "run.evalEvery", 2));
    Heard heard = new Heard();
    TinyTraining.run(session, heard, () -> false);
    assertEquals(
        List.of(false, true, false, true, true),
        heard.rows.stream().map(row -> !Double.isNaN(row.evalTop1())).toList());
    heard.rows.forEach(row -> assertTrue(Double.isNaN(row.emaTop1())));
    heard.rows.forEach(row -> assertEquals(0.05, row.lr(), 1e-15));
    assertFalse(Files.exists(session.folder().path().resolve("last-ema.safetensors")));
  }

  @Test
  void theListenerIsToldWhatRuns() throws IOException {
    Session session = TinyTraining.session(config());
    Heard heard = new Heard();
    TinyTraining.run(session, heard, () -> false);
    TrainListener.Start start = heard.start;
    assertEquals(TinyRun.ARCHITECTURE.parameters(Mode.TARGET, 6), start.parameters());
    assertEquals(0, start.gradMults());
    assertEquals(0.05, start.realLr(), 1e-15);
    assertEquals(2, start.epochs());
    assertEquals(6, start.stepsPerEpoch());
    assertEquals(48, start.trainImages());
    assertEquals(20, start.testImages());
    assertTrue(start.device().startsWith("cpu"), start.device());
    TrainListener.Progress end = heard.progress.get(heard.progress.size() - 1);
    assertEquals(1, end.epoch());
    assertEquals(6, end.step());
    assertEquals(0, end.secondsLeft(), 1e-9);
    assertTrue(heard.stopped.isEmpty());
  }

  @Test
  void aLossThatIsNoNumberEndsTheRunWithASentence() throws IOException {
    Session session = TinyTraining.session(TinyRun.with(config(), "optim.lr", 1e30));
    String message =
        assertThrows(TrainingDivergedException.class, () -> TinyTraining.run(session)).getMessage();
    assertTrue(message.contains("lower --lr"), message);
    assertTrue(message.contains("epoch 0"), message);
    assertTrue(message.contains("NaN") || message.contains("Infinity"), message);
    assertFalse(message.contains("\n"), message);
    assertFalse(Files.exists(session.folder().path().resolve("last.safetensors")));
    assertTrue(Files.exists(session.folder().path().resolve("args.yaml")));
  }
}
