package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.repopt4j.checkpoint.Checkpoint;
import org.repopt4j.checkpoint.CheckpointFolder;
import org.repopt4j.checkpoint.CheckpointStorage;
import org.repopt4j.checkpoint.CheckpointWriter;
import org.repopt4j.io.FileErrors;
import org.repopt4j.train.CheckpointSettings.OnDiskFull;

/**
 * When a run's checkpoints are written, and which one it goes on from.
 *
 * <p>One that is due while the one before is still being written is put off until that is done: a
 * slow disk must not hold training up. So a crash costs at most an interval and the writing of one
 * checkpoint, or, where writing takes longer than the interval, the writing of two.
 */
final class Checkpointing implements AutoCloseable {
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final Session session;
  private final CheckpointSettings settings;
  private final TrainListener listener;
  private final CheckpointFolder folder;
  private final CheckpointWriter writer;

  /** Taken once: what the run began with may be moved or replaced while it runs. */
  private final Map<String, String> configuration;

  /** What {@link #named} has to say once the run has begun. */
  private final List<String> said = new ArrayList<>();

  private volatile IOException failure;
  private volatile Path last;
  private long lastStep;
  private long lastTime = System.nanoTime();

  Checkpointing(
      Session session,
      CheckpointSettings settings,
      CheckpointStorage storage,
      TrainListener listener)
      throws IOException {
    this.session = session;
    this.configuration =
        settings.isOn() || settings.resumes() ? Snapshot.configuration(session.config()) : Map.of();
    this.settings = settings;
    this.listener = listener;
    this.folder = new CheckpointFolder(session.folder().checkpoints(), storage);
    this.writer =
        new CheckpointWriter(
            folder,
            settings.keep(),
            PAUSE,
            new CheckpointWriter.Listener() {
              @Override
              public void written(Path path, double seconds) {
                last = path;
                failure = null;
                listener.checkpointWritten(path, seconds);
              }

              @Override
              public void failed(long step, IOException why, boolean again) {
                failure = why;
                listener.notice(
                    "the checkpoint of step "
                        + step
                        + " could not be written ("
                        + FileErrors.sentence(why)
                        + (again ? "); trying again" : "); those before it stay"));
              }

              @Override
              public void oldOnesStay(IOException why) {
                listener.notice(
                    "old checkpoints could not be deleted (" + FileErrors.sentence(why) + ")");
              }
            });
  }

  /**
   * The state of the checkpoint that the settings name, empty if they name none. The run's folder
   * is not touched, so that a refusal leaves nothing.
   *
   * @throws IllegalArgumentException if settings changed that decide the trajectory
   * @throws IOException if the checkpoint is damaged or does not fit the run
   */
  Optional<RunState> named() throws IOException {
    return settings.resumes() && !settings.resumesAuto()
        ? Optional.of(
            restored(CheckpointFolder.read(Path.of(settings.resume().orElseThrow())), said::add))
        : Optional.empty();
  }

  /**
   * The state to begin with: what {@link #named} gave, that of the newest checkpoint if this is
   * asked for, or a fresh one.
   *
   * @throws IllegalArgumentException if settings changed that decide the trajectory
   * @throws IOException if all checkpoints are damaged; then nothing has been changed
   */
  RunState begin(Optional<RunState> named) throws IOException {
    folder.clean();
    if (named.isPresent()) {
      said.forEach(listener::notice);
      if (settings.isOn()) {
        // What the folder holds may be further on; from now on this one is its newest.
        write(named.get());
      }
      return named.get();
    }
    if (!settings.resumes()) {
      return new RunState();
    }
    Optional<Checkpoint> found = folder.newest(listener::notice);
    if (found.isEmpty()) {
      checkThereIsNone();
      listener.notice("there is no checkpoint in " + folder.root() + "; beginning anew");
      return new RunState();
    }
    return restored(found.get(), listener::notice);
  }

  /** What a run has reached must not be written over because no checkpoint of it can be read. */
  private void checkThereIsNone() throws IOException {
    if (!folder.list().isEmpty()) {
      throw new IOException(
          "none of the checkpoints in "
              + folder.root()
              + " is whole; to begin anew, name another --output, or delete that folder");
    }
  }

  private RunState restored(Checkpoint found, Consumer<String> tell) throws IOException {
    try (Checkpoint checkpoint = found) {
      checkSettings(checkpoint, tell);
      RunState state = Snapshot.restore(checkpoint, session);
      // In another folder than its own a run has no best weights yet.
      if (!session.folder().holdsWeights("best")) {
        state.bestTop1 = Double.NEGATIVE_INFINITY;
      }
      if (!session.folder().holdsWeights("best-ema")) {
        state.bestEmaTop1 = Double.NEGATIVE_INFINITY;
      }
      lastStep = state.updates;
      tell.accept(
          "resuming after step "
              + state.updates
              + " (epoch "
              + (state.epoch + 1)
              + ", batch "
              + state.nextBatch
              + ")");
      return state;
    }
  }

  private void checkSettings(Checkpoint checkpoint, Consumer<String> tell) throws IOException {
    Snapshot.Changes changes = Snapshot.changes(checkpoint, configuration);
    checkArgument(
        changes.decisive().isEmpty() || settings.resumeAnyway(),
        "the run cannot go on as it was, because settings changed: %s; set them back, or add"
            + " --resume-anyway",
        String.join("; ", changes.decisive()));
    changes.decisive().forEach(change -> tell.accept("changed, and it matters: " + change));
    changes.harmless().forEach(change -> tell.accept("changed: " + change));
  }

  /** Whether it is time for a checkpoint and none is being written. */
  boolean isDue(RunState state) throws IOException {
    if (!settings.isOn()) {
      return false;
    }
    checkDisk();
    boolean due =
        settings.every().steps() > 0
            ? state.updates - lastStep >= settings.every().steps()
            : Duration.ofNanos(System.nanoTime() - lastTime).compareTo(settings.every().time())
                >= 0;
    return due && !writer.isBusy();
  }

  private void checkDisk() throws IOException {
    IOException why = failure;
    if (why != null && settings.onDiskFull() == OnDiskFull.STOP && !writer.isBusy()) {
      throw new IOException(
          "no checkpoint can be written any more ("
              + FileErrors.sentence(why)
              + "); the run ends as --on-disk-full stop asks, and "
              + (folder.list().isEmpty() ? "begins anew" : "goes on from the newest that there is")
              + " with --resume auto",
          why);
    }
  }

  /** Takes a copy and writes it beside training; whether it could be taken. */
  @CanIgnoreReturnValue
  boolean write(RunState state) throws IOException {
    lastStep = state.updates;
    lastTime = System.nanoTime();
    Checkpoint copy = Snapshot.take(session, state, configuration);
    if (!Snapshot.isFinite(copy)) {
      // The next loss will say so, too; until then the checkpoints that are there must stay.
      copy.close();
      listener.notice(
          "no checkpoint of step " + state.updates + ": some weights are no finite numbers");
      return false;
    }
    listener.checkpointBegun(state.updates);
    writer.write(copy);
    return true;
  }

  /** Writes one now and waits for it. */
  void writeNow(RunState state) throws IOException {
    if (!settings.isOn()) {
      return;
    }
    if (write(state) && writer.await()) {
      listener.notice("checkpoint " + last.getFileName() + " is written; go on with --resume auto");
    }
  }

  /** Writes the one of a run's end and waits for it. */
  void writeLast(RunState state) throws IOException {
    if (settings.isOn()) {
      write(state);
      writer.await();
    }
  }

  /** Goes back to the newest whole checkpoint; empty if there is none. */
  Optional<RunState> rollback() throws IOException {
    writer.await();
    Optional<Checkpoint> found = folder.newest(listener::notice);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    try (Checkpoint checkpoint = found.get()) {
      return Optional.of(Snapshot.restore(checkpoint, session));
    }
  }

  /** For people: where the last checkpoint is. */
  String lastGood() throws IOException {
    writer.await();
    if (last != null) {
      return "the last good checkpoint is " + last;
    }
    return folder.list().isEmpty()
        ? "there is no checkpoint yet"
        : "the last good checkpoint is in " + folder.root();
  }

  @Override
  public void close() {
    writer.close();
  }
}
