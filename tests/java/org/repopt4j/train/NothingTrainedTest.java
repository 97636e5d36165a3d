package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.nn.Mode;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.CheckpointSettings.OnNan;

/** A run whose every batch of its last epoch is passed over has not trained to its end. */
@ExtendWith(OneThread.class)
class NothingTrainedTest {
  @TempDir Path folder;

  private final List<String> notices = new ArrayList<>();

  /** The second epoch begins with weights that are no numbers, however often it begins. */
  private void train(OnNan onNan, int accumulated) throws IOException {
    TrainConfig config = TinyRun.config(Mode.HS, folder.resolve("run"));
    config = TinyRun.with(config, "optim.gradAccumSteps", accumulated);
    CheckpointSettings settings = ResumeTest.settings("1", null, onNan);
    Session session = TinyTraining.session(config, TinyRun.data(), settings);
    TrainListener listener =
        new TrainListener() {
          @Override
          public synchronized void notice(String sentence) {
            notices.add(sentence);
          }

          @Override
          public void epochFinished(EpochRow row) {
            assertEquals(0, row.epoch());
            try (NoGrad noGrad = NoGrad.open();
                Scalar nan = new Scalar(Double.NaN)) {
              session.network().stateDict().get("linear.bias").fill_(nan);
            }
          }
        };
    new Trainer(config, session, settings, new FileStorage(), listener, () -> false).run();
  }

  @ParameterizedTest
  @CsvSource({"SKIP, 1", "ROLLBACK, 1", "SKIP, 3", "ROLLBACK, 3"})
  void anEpochWithoutAStepEndsTheRunAndSaysSo(OnNan onNan, int accumulated) throws IOException {
    TrainingDivergedException ended =
        assertThrows(TrainingDivergedException.class, () -> train(onNan, accumulated));
    String message = ended.getMessage();
    assertTrue(message.startsWith("no step was made in epoch 1, "), message);
    assertTrue(message.contains("; lower --lr (now "), message);
    assertTrue(message.contains("; the last good checkpoint is "), message);
    assertFalse(message.contains("\n"), message);
    assertEquals(6, notices.stream().filter(n -> n.contains("the loss is NaN")).count());
    // The header and the one epoch that was trained.
    assertEquals(2, Files.readAllLines(folder.resolve("run/summary.csv")).size());
  }
}
