package org.repopt4j.train;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.repopt4j.io.FileErrors;
import org.repopt4j.train.CheckpointSettings.OnDiskFull;

/** Writes what an epoch leaves in the run's folder, and deals with a disk that has no room. */
final class EpochSaver {
  private final Session session;
  private final CheckpointSettings settings;
  private final TrainListener listener;

  EpochSaver(Session session, CheckpointSettings settings, TrainListener listener) {
    this.session = session;
    this.settings = settings;
    this.listener = listener;
  }

  /**
   * Writes the summary and the weights of an epoch; whether that could be done. Only at the run's
   * end is there no later epoch whose weights would take their place.
   */
  boolean isSaved(RunState state, EpochRow row, boolean best, boolean bestEma, boolean stopped)
      throws IOException {
    List<EpochRow> rows = new ArrayList<>(state.rows);
    rows.add(row);
    try {
      session.folder().summary(rows);
      session.folder().save(session, state.epoch, row, best, bestEma);
      return true;
    } catch (IOException e) {
      String sentence =
          "the weights of epoch "
              + (state.epoch + 1)
              + " could not be written into "
              + session.folder().path()
              + " ("
              + FileErrors.sentence(e)
              + ")";
      boolean atEnd = !stopped && state.epoch + 1 == session.config().schedule().epochs();
      if (atEnd || settings.onDiskFull() == OnDiskFull.STOP) {
        throw new IOException(
            sentence
                + (settings.isOn() ? "; make room and go on with --resume auto" : "; make room"),
            e);
      }
      listener.notice(sentence + "; training goes on");
      return false;
    }
  }
}
