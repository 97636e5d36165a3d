package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import com.google.common.hash.Hashing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.data.Split;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.CheckpointSettings.Interval;
import org.repopt4j.train.CheckpointSettings.OnDiskFull;
import org.repopt4j.train.CheckpointSettings.OnNan;

/** A run that goes on from a checkpoint that is not its newest, is another's, or is gone. */
class GoingBackTest extends AfterAWholeRun {
  @Test
  void theRunsEndHasACheckpointFromWhichNothingIsTrainedAgain() throws IOException {
    assertEquals(List.of("step-000000000016", "step-000000000018"), checkpoints(run));
    Map<String, Tensor> end = TinyTraining.state(session.network());
    EpochRow row = train(run, "auto", () -> true).last();
    assertEquals(2, row.epoch());
    assertTrue(row.evalTop1() > 0);
    session.network().stateDict().forEach((name, t) -> assertBitEqual(name, end.get(name), t));
    assertEquals(List.of("step-000000000016", "step-000000000018"), checkpoints(run));
  }

  /** From step 16 although 18 is there; stopped at once; then the newest is that of this way. */
  @Test
  void whatWasLeftBehindIsNotGoneOnFrom() throws IOException {
    Map<String, Tensor> end = TinyTraining.state(session.network());
    assertTrue(train(run, checkpoint("step-000000000016").toString(), () -> true).stopped());
    assertEquals("step-000000000017-2", checkpoints(run).get(1), () -> "" + listener.notices);
    assertFalse(train(run, "auto", () -> false).stopped());
    assertTrue(
        listener.notices.get(0).startsWith("resuming after step 17 "), listener.notices::toString);
    assertEquals("step-000000000018-2", checkpoints(run).get(1));
    session.network().stateDict().forEach((name, t) -> assertBitEqual(name, end.get(name), t));
  }

  @Test
  void anotherFolderTakesOverARun() throws IOException {
    Map<String, Tensor> end = TinyTraining.state(session.network());
    Path other = folder.resolve("other");
    train(other, checkpoint("step-000000000016").toString(), () -> false);
    session.network().stateDict().forEach((name, t) -> assertBitEqual(name, end.get(name), t));
    assertEquals(rows(run), rows(other));
    assertTrue(Files.exists(other.resolve("best.safetensors")), "the best of its own epochs");
    assertEquals(List.of("step-000000000016", "step-000000000018"), checkpoints(run));
  }

  /** Settings that changed, and a network that the checkpoint does not fit. */
  @Test
  void aRefusedCheckpointLeavesNothingWhereTheRunWouldHaveBeen() {
    Path other = folder.resolve("left").resolve("other");
    String from = checkpoint("step-000000000016").toString();
    TrainConfig changed = TinyRun.with(config(other), "optim.lr", 0.04);
    assertRefused(() -> train(changed, from, () -> true), "lr was 0.03", "--resume-anyway");
    assertTrue(Files.notExists(other.getParent()));
  }

  /** As where the folder of --data-dir holds another set of images than it did. */
  @Test
  void otherTrainingImagesAreRefused() throws IOException {
    Split data = TinyRun.data();
    Split other = new Split(data.test(), data.train());
    CheckpointSettings settings = ResumeTest.settings("4", "auto", OnNan.STOP);
    Session changed = TinyTraining.session(config(run), other, settings);
    assertRefused(
        () ->
            new Trainer(
                    changed.config(),
                    changed,
                    settings,
                    new FileStorage(),
                    new TrainListener() {},
                    () -> true)
                .run(),
        "train_images was " + data.train().size() + ", is " + data.test().size(),
        "--resume-anyway");
  }

  /** From batch 4 of the last epoch, which has 3 batches of twice the size. */
  @Test
  void aPlaceThatTheEpochDoesNotHaveIsRefusedEvenIfForced() throws IOException {
    TrainConfig config = TinyRun.with(config(run), "data.batchSize", 16);
    CheckpointSettings settings =
        new CheckpointSettings(
            Interval.parse("4"),
            2,
            Optional.of(checkpoint("step-000000000016").toString()),
            /* resumeAnyway= */ true,
            false,
            OnNan.STOP,
            0,
            OnDiskFull.CONTINUE);
    Session larger = TinyTraining.session(config, TinyRun.data(), settings);
    String arguments = Files.readString(run.resolve("args.yaml"));
    assertRefused(
        () ->
            new Trainer(
                    config, larger, settings, new FileStorage(), new TrainListener() {}, () -> true)
                .run(),
        "after batch 4 of epoch 3",
        "only 3 batches");
    assertEquals(arguments, Files.readString(run.resolve("args.yaml")));
  }

  private static List<String> rows(Path output) throws IOException {
    return Files.readAllLines(output.resolve("summary.csv")).stream()
        .map(line -> line.replaceAll(",[^,]*,[^,]*$", ""))
        .toList();
  }

  @Test
  void aRunOfWhichNoCheckpointIsWholeIsNotWrittenOver() throws IOException {
    for (String name : checkpoints(run)) {
      Files.delete(checkpoint(name).resolve("optimizer.safetensors"));
    }
    byte[] best = Files.readAllBytes(run.resolve("best.safetensors"));
    List<String> summary = Files.readAllLines(run.resolve("summary.csv"));
    IOException refused = assertThrows(IOException.class, () -> train(run, "auto", () -> true));
    assertTrue(refused.getMessage().contains("none of the checkpoints"), refused::getMessage);
    assertEquals(2, listener.notices.size(), listener.notices::toString);
    assertEquals(summary, Files.readAllLines(run.resolve("summary.csv")));
    assertEquals(
        Hashing.sha256().hashBytes(best),
        Hashing.sha256().hashBytes(Files.readAllBytes(run.resolve("best.safetensors"))));
  }

  @Test
  void aCheckpointOfAnotherNetworkIsRefusedEvenIfForced() {
    TrainConfig other =
        TinyRun.with(
            config(run),
            "arch",
            org.repopt4j.nn.Architecture.custom(
                List.of(1, 1, 1, 1),
                List.of(0.25, 0.125, 0.0625, 0.03125),
                List.of(1, 1, 2, 2, 1)));
    assertRefused(() -> train(other, "auto", () -> true), "arch was custom", "--resume-anyway");
  }

  @ParameterizedTest
  @ValueSource(strings = {"999999999h", "999999999m", "999999999s", "999999999"})
  void anIntervalOfAnyLengthIsOne(String every) throws IOException {
    TrainConfig config = config(folder.resolve("long"));
    CheckpointSettings settings = ResumeTest.settings(every, null, OnNan.STOP);
    Session seldom = TinyTraining.session(config, TinyRun.data(), settings);
    TrainResult result =
        new Trainer(
                config, seldom, settings, new FileStorage(), new TrainListener() {}, () -> false)
            .run();
    assertEquals(2, result.last().epoch());
    assertEquals(List.of("step-000000000018"), checkpoints(folder.resolve("long")));
  }
}
