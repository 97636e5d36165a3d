package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.nn.Mode;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.CheckpointSettings.Interval;
import org.repopt4j.train.CheckpointSettings.OnDiskFull;
import org.repopt4j.train.CheckpointSettings.OnNan;

/** Somebody deletes folders of a run while it runs. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "files in use cannot be deleted there")
@ExtendWith(OneThread.class)
class DeletedFolderTest {
  @TempDir Path folder;

  private List<String> notices = List.of();

  /** After the first of two epochs the folder is deleted; a checkpoint is due at each one's end. */
  private void train(Path deleted) throws IOException {
    TrainConfig config = TinyRun.config(Mode.TARGET, folder.resolve("run"));
    CheckpointSettings settings =
        new CheckpointSettings(
            Interval.parse("6"),
            2,
            Optional.empty(),
            false,
            false,
            OnNan.STOP,
            0,
            OnDiskFull.CONTINUE);
    Session session = TinyTraining.session(config, TinyRun.data(), settings);
    NoStepWhileWriting listener =
        new NoStepWhileWriting() {
          @Override
          public void epochFinished(EpochRow row) {
            if (row.epoch() == 0) {
              getAsBoolean();
              try {
                MoreFiles.deleteRecursively(deleted, RecursiveDeleteOption.ALLOW_INSECURE);
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            }
          }
        };
    notices = listener.notices;
    new Trainer(config, session, settings, new FileStorage(), listener, () -> false).run();
  }

  @Test
  void theRunsFolderDoesNotComeBackAsHalfOfOne() {
    Path run = folder.resolve("run");
    String message = assertThrows(IOException.class, () -> train(run)).getMessage();
    assertTrue(message.startsWith("the weights of epoch 2 could not be written into"), message);
    assertFalse(message.contains("\n"), message);
    assertTrue(
        notices.get(0).startsWith("the checkpoint of step 12 could not be written (" + run),
        notices::toString);
    assertFalse(Files.exists(run));
  }

  @Test
  void theCheckpointsFolderAloneIsMadeAgain() throws IOException {
    train(folder.resolve("run/checkpoints"));
    assertEquals(List.of(), notices);
    assertTrue(Files.isDirectory(folder.resolve("run/checkpoints/step-000000000012")));
  }

  /** As when it is moved to another disk, and a link is left in its place. */
  @Test
  void theCheckpointsFolderMayBeALink() throws IOException {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Path run = Files.createDirectory(folder.resolve("run"));
    Files.createSymbolicLink(run.resolve("checkpoints"), elsewhere);
    train(Files.createDirectory(folder.resolve("other")));
    assertEquals(List.of(), notices);
    assertTrue(Files.isDirectory(elsewhere.resolve("step-000000000012")));
  }
}
