package org.repopt4j.train;

import com.google.common.base.Throwables;
import java.io.IOException;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.repopt4j.checkpoint.CheckpointStorage;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.checkpoint.FolderLock;
import org.repopt4j.runtime.CudaMemory;
import org.repopt4j.train.EpochTraining.End;

/**
 * The training loop, in the order of the official {@code main_repopt.py}: forward, loss, backward,
 * step, schedule ({@link BatchStep}); an evaluation after an epoch; the best and the last weights
 * kept. Between two steps it may write a checkpoint ({@link EpochTraining}), and from one it goes
 * on as if it had never stopped.
 */
public final class Trainer {
  private final TrainConfig config;
  private final Session session;
  private final CheckpointSettings settings;
  private final CheckpointStorage storage;
  private final TrainListener listener;
  private final BooleanSupplier stop;
  private final Evaluator evaluator;

  /**
   * A trainer of one run that writes no checkpoints.
   *
   * @param stop asked after each step; true ends the run cleanly with what was reached
   */
  public Trainer(
      TrainConfig config, Session session, TrainListener listener, BooleanSupplier stop) {
    this(config, session, CheckpointSettings.OFF, new FileStorage(), listener, stop);
  }

  /**
   * A trainer of one run, fresh or to be resumed.
   *
   * @param storage where checkpoints go
   * @param stop asked after each step; true ends the run cleanly with what was reached
   */
  public Trainer(
      TrainConfig config,
      Session session,
      CheckpointSettings settings,
      CheckpointStorage storage,
      TrainListener listener,
      BooleanSupplier stop) {
    this.config = config;
    this.session = session;
    this.settings = settings;
    this.storage = storage;
    this.listener = listener;
    this.stop = stop;
    this.evaluator = new Evaluator(session.device(), config.run().precision());
  }

  /**
   * Runs to the end or until stopped. The folder then holds the settings, the summary and the
   * weights.
   *
   * @throws IOException if the folder cannot be written
   * @throws IllegalArgumentException if another run is writing into the folder, or if settings
   *     changed so that the run cannot be resumed
   */
  public TrainResult run() throws IOException {
    Resuming resuming = new Resuming(session, settings, listener);
    // Before the lock, with which the folder is made.
    Optional<Resuming.Resumed> named = resuming.named();
    try (LossGuard guard = new LossGuard(session.device(), settings.onNan());
        Checkpointing checkpointing =
            new Checkpointing(session, settings, resuming, storage, listener)) {
      // What is being written is done before the lock is given up.
      try (FolderLock lock = session.folder().lock();
          checkpointing) {
        return locked(named, checkpointing, guard);
      }
    }
  }

  private TrainResult locked(
      Optional<Resuming.Resumed> named, Checkpointing checkpointing, LossGuard guard)
      throws IOException {
    listener.started(session.describe());
    CudaMemory.resetPeak(session.device());
    session.badSampleLog(listener::notice);
    RunState state = checkpointing.begin(named);
    session.folder().begin(config, state.rows);
    try {
      return run(state, checkpointing, guard);
    } catch (TrainingDivergedException e) {
      throw e;
    } catch (RuntimeException | Error e) {
      if (settings.saveOnError()) {
        saveAfter(e, state, checkpointing);
      }
      throw withWaysOut(e);
    }
  }

  /** What goes wrong here must not take the place of the error that ended the run. */
  private static void saveAfter(Throwable error, RunState state, Checkpointing checkpointing) {
    try {
      state.goBack();
      checkpointing.writeNow(state);
    } catch (IOException | RuntimeException | Error e) {
      error.addSuppressed(e);
    }
  }

  private RuntimeException withWaysOut(Throwable error) {
    Throwable said =
        MemoryUsedUpException.inTraining(
            error,
            session.device(),
            config.data().batchSize(),
            config.run().recompute(),
            config.run().precision());
    Throwables.throwIfUnchecked(said);
    return new IllegalStateException(said);
  }

  private TrainResult run(RunState state, Checkpointing checkpointing, LossGuard guard)
      throws IOException {
    EpochTraining training =
        new EpochTraining(session, settings, checkpointing, guard, listener, stop);
    EpochSaver saver = new EpochSaver(session, settings, listener);
    int epochs = config.schedule().epochs();
    EpochRow last = state.rows.isEmpty() ? null : state.rows.get(state.rows.size() - 1);
    boolean stopped = false;
    while (state.epoch < epochs && !stopped) {
      long begin = System.nanoTime();
      double before = state.seconds;
      EpochTraining.Trained trained = training.trainRest(state);
      if (trained.end() == End.ROLLED_BACK) {
        continue;
      }
      Evaluation evaluation =
          trained.end() == End.WHOLE && isEvaluated(state.epoch) ? evaluate() : Evaluation.NONE;
      stopped = trained.end() == End.STOPPED || stop.getAsBoolean();
      if (stopped) {
        // An evaluation that was cut short says nothing.
        evaluation = Evaluation.NONE;
        checkpointing.writeNow(state);
      }
      double seconds = before + (System.nanoTime() - begin) / 1e9;
      last = row(state, trained, evaluation, seconds);
      saver.save(state, last, stopped);
      listener.epochFinished(last);
      if (!stopped) {
        state.finishEpoch(last);
        if (state.epoch == epochs) {
          checkpointing.writeLast(state);
        }
      }
    }
    if (stopped) {
      listener.stopped(state.batches);
    }
    return new TrainResult(
        last,
        Math.max(state.bestTop1, state.bestEmaTop1),
        stopped,
        session.folder().path(),
        CudaMemory.peak(session.device()));
  }

  private boolean isEvaluated(int epoch) {
    return (epoch + 1) % config.run().evalEvery() == 0 || epoch + 1 == config.schedule().epochs();
  }

  /** What the network and its moving average reach on the test images. */
  private record Evaluation(
      Optional<Evaluator.Result> network, Optional<Evaluator.Result> average) {
    static final Evaluation NONE = new Evaluation(Optional.empty(), Optional.empty());
  }

  private Evaluation evaluate() {
    return new Evaluation(
        Optional.of(evaluator.evaluate(session.network(), session.testLoader(), stop)),
        session.ema().map(e -> evaluator.evaluate(e.network(), session.testLoader(), stop)));
  }

  private static EpochRow row(
      RunState state, EpochTraining.Trained trained, Evaluation evaluation, double seconds) {
    return new EpochRow(
        state.epoch,
        trained.means().loss(),
        trained.means().top1(),
        evaluation.network().map(Evaluator.Result::loss).orElse(Double.NaN),
        evaluation.network().map(Evaluator.Result::top1).orElse(Double.NaN),
        evaluation.network().map(Evaluator.Result::top5).orElse(Double.NaN),
        evaluation.average().map(Evaluator.Result::top1).orElse(Double.NaN),
        state.lr,
        trained.imagesPerSecond(),
        seconds);
  }
}
