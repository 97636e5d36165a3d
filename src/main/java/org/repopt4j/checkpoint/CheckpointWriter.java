package org.repopt4j.checkpoint;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.repopt4j.runtime.NativeErrors;

/**
 * Writes checkpoints beside the work, one at a time. A write that fails is tried again, then given
 * up; the work goes on, and its next checkpoint is another chance.
 */
public final class CheckpointWriter implements AutoCloseable {
  private static final int TRIES = 3;

  /** What becomes of checkpoints; called on the writer's thread. */
  public interface Listener {
    /** It is on the disk. */
    void written(Path folder, double seconds);

    /** It could not be written. {@code again}: whether it will be tried once more. */
    void failed(long step, IOException why, boolean again);

    /** It is on the disk, but old ones that were to go could not be deleted. */
    void oldOnesStay(IOException why);
  }

  private final CheckpointFolder folder;
  private final int keep;
  private final Duration pause;
  private final Listener listener;
  private final ExecutorService thread;
  private Future<Boolean> writing;
  private volatile boolean busy;

  /**
   * A writer that keeps so many checkpoints.
   *
   * @param pause before a failed write is tried again
   */
  public CheckpointWriter(CheckpointFolder folder, int keep, Duration pause, Listener listener) {
    this.folder = folder;
    this.keep = keep;
    this.pause = pause;
    this.listener = listener;
    this.thread =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread daemon = new Thread(task, "checkpoint-writer");
              daemon.setDaemon(true);
              return daemon;
            });
  }

  /** Whether a checkpoint is being written; it is not any more when the listener hears of it. */
  public boolean isBusy() {
    return busy;
  }

  /** Begins to write; waits for the one before it, if it is not done. The writer closes it. */
  public void write(Checkpoint checkpoint) {
    await();
    busy = true;
    writing = thread.submit(() -> tryToWrite(checkpoint));
  }

  /**
   * Waits for what is being written.
   *
   * @return whether the last checkpoint is on the disk; true if there was none
   */
  public boolean await() {
    if (writing == null) {
      return true;
    }
    try {
      return Uninterruptibles.getUninterruptibly(writing);
    } catch (ExecutionException e) {
      throw new IllegalStateException("a checkpoint could not be written", e.getCause());
    }
  }

  private boolean tryToWrite(Checkpoint checkpoint) {
    try (checkpoint) {
      for (int attempt = 1; ; attempt++) {
        long begin = System.nanoTime();
        try {
          Path place = folder.write(checkpoint);
          double seconds = (System.nanoTime() - begin) / 1e9;
          prune();
          busy = false;
          listener.written(place, seconds);
          return true;
        } catch (IOException e) {
          boolean again = attempt < TRIES;
          busy = again;
          listener.failed(checkpoint.step(), e, again);
          if (!again) {
            return false;
          }
          Uninterruptibles.sleepUninterruptibly(pause);
        } catch (RuntimeException | Error e) {
          // Trying again would not help, and the work must not end for it.
          busy = false;
          listener.failed(
              checkpoint.step(), new IOException(NativeErrors.sentence(e), e), /* again= */ false);
          return false;
        }
      }
    }
  }

  private void prune() {
    try {
      folder.prune(keep);
    } catch (IOException e) {
      listener.oldOnesStay(e);
    }
  }

  /** Waits for what is being written, and ends the thread. */
  @Override
  public void close() {
    try {
      await();
    } finally {
      thread.shutdown();
    }
  }
}
