package org.repopt4j.train;

import java.io.IOException;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.repopt4j.data.Batch;
import org.repopt4j.data.BatchLoader;
import org.repopt4j.data.Epoch;
import org.repopt4j.runtime.StepScope;

/**
 * The batches of an epoch, in the order of the official {@code train_one_epoch}. Between two steps
 * it may write a checkpoint, report, go back to a checkpoint, or stop.
 */
final class EpochTraining {
  private static final long REPORT_NANOS = 200_000_000;

  private final Session session;
  private final CheckpointSettings settings;
  private final Checkpointing checkpointing;
  private final LossGuard guard;
  private final TrainListener listener;
  private final BooleanSupplier stop;
  private final FaultPolicy policy;
  private final BatchStep step;

  EpochTraining(
      Session session,
      CheckpointSettings settings,
      Checkpointing checkpointing,
      LossGuard guard,
      TrainListener listener,
      BooleanSupplier stop) {
    this.session = session;
    this.settings = settings;
    this.checkpointing = checkpointing;
    this.guard = guard;
    this.listener = listener;
    this.stop = stop;
    this.policy = new FaultPolicy(session, settings, checkpointing, guard, listener);
    this.step = new BatchStep(session, guard, listener);
  }

  /** How the training of an epoch ended. */
  enum End {
    WHOLE,
    STOPPED,
    ROLLED_BACK
  }

  /** What became of an epoch's training. */
  record Trained(RunningMean.Means means, double imagesPerSecond, End end) {}

  /** Trains on the batches of the state's epoch that are still to be trained on. */
  Trained trainRest(RunState state) throws IOException {
    session.network().train(true);
    session.optimizer().zeroGrad();
    try (RunningMean mean = new RunningMean(session.device());
        Epoch batches = session.trainLoader().epoch(state.epoch, state.nextBatch)) {
      mean.restore(state.sums, state.images);
      try {
        return train(state, batches, mean);
      } catch (RuntimeException | Error e) {
        if (settings.saveOnError()) {
          sumUp(e, state, mean);
        }
        throw e;
      }
    }
  }

  /** What was summed up at the last update. */
  private static void sumUp(Throwable error, RunState state, RunningMean mean) {
    try {
      mean.backToMark();
      state.sums = mean.sums();
      state.images = mean.images();
    } catch (RuntimeException | Error e) {
      error.addSuppressed(e);
    }
  }

  private Trained train(RunState state, Epoch batches, RunningMean mean) throws IOException {
    Pace pace = new Pace(System.nanoTime(), state.seconds, state.images);
    long reported = pace.begin;
    End end = End.WHOLE;
    for (Batch batch : batches) {
      boolean updated = false;
      Optional<LossGuard.Fault> fault = Optional.empty();
      try (batch;
          StepScope scope = StepScope.open()) {
        if (!state.skips(batch.step())) {
          fault = step.backward(state.epoch, batch, mean);
          updated = fault.isEmpty() && step.update(state, batch);
        } else if (step.endsGroup(batch)) {
          // The step of its group is left out with it.
          session.optimizer().zeroGrad();
        }
      }
      state.batches++;
      state.nextBatch = batch.step() + 1;
      boolean atEnd = state.nextBatch == session.trainLoader().batchesPerEpoch();
      // Gradients that wait for their step are in no checkpoint, so their step is finished first.
      boolean stopped = (step.endsGroup(batch) || atEnd) && stop.getAsBoolean();
      long now = System.nanoTime();
      boolean report = now - reported > REPORT_NANOS || stopped || atEnd;
      boolean save = updated && checkpointing.isDue(state);
      if (report || save) {
        fault = fault.or(guard::look);
      }
      if (fault.isPresent() && policy.isRolledBack(fault.get(), state)) {
        end = End.ROLLED_BACK;
        break;
      }
      if (report || save) {
        state.seconds = pace.seconds(now);
        state.images = mean.images();
      }
      if (save || stopped || atEnd) {
        state.sums = mean.sums();
      }
      if (updated && settings.saveOnError()) {
        mean.mark();
      }
      if (updated || atEnd) {
        state.reach();
      }
      if (save) {
        checkpointing.write(state);
      }
      if (report) {
        reported = now;
        report(state, mean.read(), pace.speed(mean.images(), now));
      }
      if (stopped) {
        end = End.STOPPED;
        break;
      }
    }
    if (end == End.WHOLE) {
      policy.checkTrained(state);
    }
    return new Trained(mean.read(), pace.speed(mean.images(), System.nanoTime()), end);
  }

  /**
   * The time since training began or went on.
   *
   * @param begin when, in nanoseconds
   * @param secondsBefore what the epoch had taken until then
   * @param imagesBefore what the epoch had seen until then
   */
  private record Pace(long begin, double secondsBefore, long imagesBefore) {
    double seconds(long now) {
      return secondsBefore + (now - begin) / 1e9;
    }

    double speed(long images, long now) {
      return (images - imagesBefore) / ((now - begin) / 1e9);
    }
  }

  private void report(RunState state, RunningMean.Means means, double speed) {
    TrainConfig config = session.config();
    BatchLoader loader = session.trainLoader();
    int epochs = config.schedule().epochs();
    long left = (long) loader.batchesPerEpoch() * (epochs - state.epoch) - state.nextBatch;
    listener.progress(
        new TrainListener.Progress(
            state.epoch,
            epochs,
            state.nextBatch,
            loader.batchesPerEpoch(),
            means.loss(),
            means.top1(),
            speed,
            state.lr,
            left * config.data().batchSize() / speed));
  }
}
