package org.repopt4j.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.Natives;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.CheckpointSettings.OnNan;

/** A small training run in a process of its own, which is to be killed. */
final class ChildRun {
  static final int INTERVAL = 5;

  /** Six steps each: more than ten lives make before they are killed. */
  static final int EPOCHS = 48;

  private ChildRun() {}

  /** {@code FOLDER SEED}: trains, resuming by itself, and makes {@link ChildNotes}. */
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[0]);
    long seed = Long.parseLong(args[1]);
    TrainConfig config = TinyRun.config(Mode.HS, folder);
    config = TinyRun.with(config, "run.seed", seed);
    config = TinyRun.with(config, "run.deterministic", true);
    config = TinyRun.with(config, "run.modelEmaDecay", 0.9);
    config = TinyRun.with(config, "schedule.epochs", EPOCHS);
    // An evaluation would ask whether to stop, too, and be taken for steps.
    config = TinyRun.with(config, "run.evalEvery", EPOCHS);
    if (seed % 2 == 0) {
      config = TinyRun.with(config, "optim.opt", UpdateRule.ADAMW_EXACT);
      config = TinyRun.with(config, "optim.lr", 0.03);
    }
    CheckpointSettings settings =
        ResumeTest.settings(Integer.toString(INTERVAL), "auto", OnNan.STOP);
    Natives.manualSeed(seed);
    Network network = config.arch().build(config.mode(), TinyRun.CLASSES.size());
    Session session =
        Session.of(config, TinyRun.data(), network, org.repopt4j.csla.GradMults.none(), settings);
    TrainListener listener =
        new TrainListener() {
          @Override
          public void notice(String sentence) {
            System.out.println(sentence);
          }

          @Override
          public void checkpointBegun(long step) {
            ChildNotes.add(folder, "b" + step + ";");
          }

          @Override
          public void checkpointWritten(Path checkpoint, double seconds) {
            ChildNotes.add(
                folder,
                "d" + checkpoint.getFileName().toString().replaceAll("\\D*0*(\\d+).*", "$1") + ";");
          }
        };
    new Trainer(
            config,
            session,
            settings,
            new FileStorage(),
            listener,
            () -> {
              ChildNotes.add(folder, ".");
              sleep();
              return false;
            })
        .run();
  }

  /** A step of a real network takes longer than writing a small checkpoint. */
  private static void sleep() {
    try {
      TimeUnit.MILLISECONDS.sleep(15);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Starts one. */
  static Process start(Path folder, long seed) throws IOException {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(List.of("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    line.add("-Dorg.bytedeco.javacpp.maxphysicalbytes=16g");
    line.addAll(List.of("-cp", System.getProperty("java.class.path"), ChildRun.class.getName()));
    line.addAll(List.of(folder.toString(), Long.toString(seed)));
    return new ProcessBuilder(line)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(Path.of(folder + ".log").toFile()))
        .start();
  }
}
