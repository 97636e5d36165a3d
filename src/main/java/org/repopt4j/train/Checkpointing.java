package org.repopt4j.train;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.repopt4j.checkpoint.Checkpoint;
import org.repopt4j.checkpoint.CheckpointFolder;
import org.repopt4j.checkpoint.CheckpointStorage;
import org.repopt4j.checkpoint.CheckpointWriter;
import org.repopt4j.io.FileErrors;
import org.repopt4j.train.CheckpointSettings.OnDiskFull;

/**
 * When a run's checkpoints are written.
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

  private final Resuming resuming;

  private volatile IOException failure;
  private volatile Path last;
  private long lastStep;
  private long lastTime = System.nanoTime();

  Checkpointing(
      Session session,
      CheckpointSettings settings,
      Resuming resuming,
      CheckpointStorage storage,
      TrainListener listener) {
    this.session = session;
    this.settings = settings;
    this.resuming = resuming;
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
   * The state to begin with: what was named, that of the newest checkpoint if this is asked for, or
   * a fresh one.
   *
   * @param named what {@link Resuming#named} gave
   * @throws IllegalArgumentException if settings changed that decide the trajectory
   * @throws IOException if all checkpoints are damaged; then nothing has been changed
   */
  RunState begin(Optional<Resuming.Resumed> named) throws IOException {
    folder.clean();
    Optional<Resuming.Resumed> resumed = named.isPresent() ? named : resuming.newest(folder);
    resumed.ifPresent(from -> from.said().forEach(listener::notice));
    RunState state = resumed.map(Resuming.Resumed::state).orElseGet(RunState::new);
    lastStep = state.updates;
    if (named.isPresent() && settings.isOn()) {
      // What the folder holds may be further on; from now on this one is its newest.
      write(state);
    }
    return state;
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
    Checkpoint copy = Snapshot.take(session, state, resuming.configuration());
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
    return resuming.back(folder);
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
