package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Mode;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.CheckpointSettings.Interval;
import org.repopt4j.train.CheckpointSettings.OnDiskFull;
import org.repopt4j.train.CheckpointSettings.OnNan;

/**
 * The weights of an epoch cannot be written, as on a full disk: here because a folder is in their
 * place, which stops every user, and which goes away again.
 */
@ExtendWith(OneThread.class)
class UnwritableFolderTest {
  @TempDir Path folder;

  private List<String> notices = List.of();

  /** Weights cannot be written until the given epoch is done. */
  private TrainResult train(OnDiskFull onDiskFull, int freeAfter) throws IOException {
    TrainConfig config = TinyRun.config(Mode.TARGET, folder.resolve("run"));
    config = TinyRun.with(config, "schedule.epochs", 3);
    CheckpointSettings settings =
        new CheckpointSettings(
            new Interval(4, java.time.Duration.ZERO),
            2,
            Optional.empty(),
            false,
            false,
            OnNan.STOP,
            0,
            onDiskFull);
    Session session = TinyTraining.session(config, TinyRun.data(), settings);
    Path obstacle = config.run().output().resolve("last.safetensors");
    Files.createDirectories(obstacle);
    NoStepWhileWriting listener =
        new NoStepWhileWriting() {
          @Override
          public void epochFinished(EpochRow row) {
            if (row.epoch() == freeAfter) {
              try {
                Files.delete(obstacle);
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            }
          }
        };
    notices = listener.notices;
    return new Trainer(config, session, settings, new FileStorage(), listener, listener).run();
  }

  @Test
  void trainingGoesOnAndALaterEpochIsWritten() throws IOException {
    TrainResult result = train(OnDiskFull.CONTINUE, 1);
    assertEquals(2, result.last().epoch());
    assertEquals(2, notices.size(), notices::toString);
    assertTrue(notices.get(0).startsWith("the weights of epoch 1 could not"), notices::toString);
    assertTrue(notices.get(1).contains("training goes on"), notices::toString);
    // What could not be written is not the best: the first that can be is.
    for (String file : List.of("last", "best")) {
      try (TensorFile weights = StateDicts.read(folder.resolve("run/" + file + ".safetensors"))) {
        assertEquals("2", weights.metadata().get("epoch"));
      }
    }
    assertEquals(4, Files.readAllLines(folder.resolve("run/summary.csv")).size());
  }

  @Test
  void aRunWhoseLastWeightsCannotBeWrittenFails() {
    String message =
        assertThrows(IOException.class, () -> train(OnDiskFull.CONTINUE, 9)).getMessage();
    assertTrue(message.contains("the weights of epoch 3 could not be written"), message);
    assertTrue(message.contains("--resume auto"), message);
    assertFalse(message.contains("\n"), message);
    assertTrue(Files.isDirectory(folder.resolve("run/checkpoints/step-000000000016")));
  }

  @Test
  void theFirstFailureEndsTheRunWhereThatIsAskedFor() {
    String message = assertThrows(IOException.class, () -> train(OnDiskFull.STOP, 9)).getMessage();
    assertTrue(message.contains("the weights of epoch 1 could not be written"), message);
    assertTrue(notices.isEmpty(), notices::toString);
  }
}
