package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.Mode;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.CheckpointSettings.OnNan;

/** What tests of a run that is over begin with. */
@ExtendWith(OneThread.class)
@Tag("slow")
abstract class AfterAWholeRun {
  @TempDir Path folder;

  NoStepWhileWriting listener;
  Session session;
  Path run;

  /** Six steps an epoch, a checkpoint every four: 4, 8, 12, 16, and one at the end. */
  @BeforeEach
  void aWholeRun() throws IOException {
    run = folder.resolve("run");
    assertFalse(train(run, null, () -> false).stopped());
  }

  TrainConfig config(Path output) {
    TrainConfig config = TinyRun.config(Mode.HS, output);
    config = TinyRun.with(config, "run.deterministic", true);
    config = TinyRun.with(config, "run.modelEmaDecay", 0.9);
    config = TinyRun.with(config, "optim.opt", UpdateRule.ADAMW_EXACT);
    config = TinyRun.with(config, "optim.lr", 0.03);
    return TinyRun.with(config, "schedule.epochs", 3);
  }

  TrainResult train(Path output, String resume, BooleanSupplier stop) throws IOException {
    return train(config(output), resume, stop);
  }

  TrainResult train(TrainConfig config, String resume, BooleanSupplier stop) throws IOException {
    CheckpointSettings settings = ResumeTest.settings("4", resume, OnNan.STOP);
    session = TinyTraining.session(config, TinyRun.data(), settings);
    listener = new NoStepWhileWriting();
    return new Trainer(
            config,
            session,
            settings,
            new FileStorage(),
            listener,
            () -> !listener.getAsBoolean() && stop.getAsBoolean())
        .run();
  }

  List<String> checkpoints(Path output) throws IOException {
    try (var entries = Files.list(output.resolve("checkpoints"))) {
      return entries.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  Path checkpoint(String name) {
    return run.resolve("checkpoints").resolve(name);
  }
}
