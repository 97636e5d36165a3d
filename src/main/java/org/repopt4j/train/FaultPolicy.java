package org.repopt4j.train;

import java.io.IOException;
import java.util.Optional;
import org.repopt4j.train.CheckpointSettings.OnNan;

/** What becomes of a run whose loss is no finite number. */
final class FaultPolicy {
  /**
   * Faults between two updates, or returns to one checkpoint, after which going on is of no use.
   */
  private static final int HOPELESS = 10;

  private final Session session;
  private final CheckpointSettings settings;
  private final Checkpointing checkpointing;
  private final LossGuard guard;
  private final TrainListener listener;
  private long lastPlace = -1;
  private int timesThere;

  FaultPolicy(
      Session session,
      CheckpointSettings settings,
      Checkpointing checkpointing,
      LossGuard guard,
      TrainListener listener) {
    this.session = session;
    this.settings = settings;
    this.checkpointing = checkpointing;
    this.guard = guard;
    this.listener = listener;
  }

  /**
   * Deals with a fault; whether the run went back to a checkpoint.
   *
   * @throws TrainingDivergedException if that is what is asked for, or of no use any more
   */
  boolean isRolledBack(LossGuard.Fault fault, RunState state) throws IOException {
    session.optimizer().zeroGrad();
    if (settings.onNan() == OnNan.STOP) {
      throw diverged(fault.sentence(), state);
    }
    if (settings.onNan() == OnNan.SKIP) {
      count(state.updates, fault, state);
      listener.notice(fault.sentence() + ": passed over");
      guard.undo(session.network());
      return false;
    }
    Optional<RunState> earlier = checkpointing.rollback();
    if (earlier.isEmpty()) {
      throw new TrainingDivergedException(
          fault.sentence() + "; there is no checkpoint to go back to");
    }
    count(earlier.get().updates, fault, state);
    listener.notice(
        fault.sentence() + ": back to step " + earlier.get().updates + ", to pass over it");
    earlier.get().skipped.addAll(state.skipped);
    earlier.get().skip(fault.epoch(), fault.batch());
    state.become(earlier.get());
    return true;
  }

  private void count(long place, LossGuard.Fault fault, RunState state) throws IOException {
    timesThere = place == lastPlace ? timesThere + 1 : 1;
    lastPlace = place;
    if (timesThere > HOPELESS) {
      throw diverged(fault.sentence(), state);
    }
  }

  /**
   * At an epoch's end: training that has been passed over is none.
   *
   * @throws TrainingDivergedException if no step was made in the epoch
   */
  void checkTrained(RunState state) throws IOException {
    if (state.lastUpdate < state.batches - session.trainLoader().batchesPerEpoch()) {
      throw diverged(
          "no step was made in epoch " + state.epoch + ", so many batches were passed over", state);
    }
  }

  private TrainingDivergedException diverged(String sentence, RunState state) throws IOException {
    return new TrainingDivergedException(
        sentence
            + "; lower --lr (now "
            + state.lr
            + "), lengthen --warmup-epochs, or add --clip-grad where no Grad Mults are in use"
            + (settings.isOn() ? "; " + checkpointing.lastGood() : ""));
  }
}
