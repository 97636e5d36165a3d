package org.repopt4j.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;

/**
 * Lets no step go by while a checkpoint is being written, so that no checkpoint is put off, however
 * busy the machine is: to be listener of a run and to be asked after its steps. It also keeps what
 * it is told.
 */
class NoStepWhileWriting implements TrainListener, BooleanSupplier {
  final List<String> notices = new ArrayList<>();
  private final Semaphore written = new Semaphore(0);
  private boolean writing;

  @Override
  public synchronized void notice(String sentence) {
    notices.add(sentence);
  }

  @Override
  public void checkpointBegun(long step) {
    writing = true;
  }

  @Override
  public void checkpointWritten(Path checkpoint, double seconds) {
    written.release();
  }

  @Override
  public boolean getAsBoolean() {
    if (writing) {
      written.acquireUninterruptibly();
      writing = false;
    }
    return false;
  }
}
