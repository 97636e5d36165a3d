package org.repopt4j.crosscheck;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** Ends a process that has not reached its next case for too long. */
final class Patience implements AutoCloseable {
  private final Process process;
  private final Duration limit;
  private final Thread watch = new Thread(this::watch, "patience");
  private String subject = "its start";
  private long since = System.nanoTime();
  private boolean over;

  private Patience(Process process, Duration limit) {
    this.process = process;
    this.limit = limit;
  }

  /** Watches until this is closed. */
  static Patience with(Process process, Duration limit) {
    Patience patience = new Patience(process, limit);
    patience.watch.setDaemon(true);
    patience.watch.start();
    return patience;
  }

  /** The next case has begun. */
  synchronized void renew(String next) {
    subject = next;
    since = System.nanoTime();
  }

  /**
   * Whether the process came to its end by itself.
   *
   * @throws IOException if it was ended
   */
  synchronized void check() throws IOException {
    if (over) {
      throw new IOException(
          String.format(
              "Python was stopped, because it came no further than %s in %d seconds; if this machine is that slow, raise --python-timeout",
              subject, limit.toSeconds()));
    }
  }

  private synchronized boolean isOver() {
    over = System.nanoTime() - since > limit.toNanos();
    return over;
  }

  private void watch() {
    try {
      while (!isOver()) {
        Thread.sleep(100);
      }
      stop(process);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // Closed: the process is no longer waited for.
    }
  }

  /** Ends a process and those that it has started, also one that does not listen to signals. */
  static void stop(Process process) {
    // Asked for first: the children of a process that is gone are not known.
    List<ProcessHandle> children = process.descendants().toList();
    process.destroyForcibly();
    children.forEach(ProcessHandle::destroyForcibly);
  }

  @Override
  public void close() {
    watch.interrupt();
  }
}
