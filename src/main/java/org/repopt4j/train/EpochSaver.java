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
   * Writes the summary and the weights of an epoch, and takes it for the best one if it is and
   * could be written. Only at the run's end is there no later epoch whose weights would take their
   * place.
   */
  void save(RunState state, EpochRow row, boolean stopped) throws IOException {
    // An epoch that was not evaluated has NaN, which is above nothing.
    boolean best = row.evalTop1() > state.bestTop1;
    boolean bestEma = row.emaTop1() > state.bestEmaTop1;
    List<EpochRow> rows = new ArrayList<>(state.rows);
    rows.add(row);
    try {
      session.folder().summary(rows);
      session.folder().save(session, state.epoch, row, best, bestEma);
      state.bestTop1 = best ? row.evalTop1() : state.bestTop1;
      state.bestEmaTop1 = bestEma ? row.emaTop1() : state.bestEmaTop1;
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
    }
  }
}
