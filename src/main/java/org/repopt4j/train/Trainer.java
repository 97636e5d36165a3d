package org.repopt4j.train;

import com.google.common.base.Throwables;
import java.io.IOException;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.checkpoint.CheckpointStorage;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.checkpoint.FolderLock;
import org.repopt4j.data.Batch;
import org.repopt4j.data.BatchLoader;
import org.repopt4j.data.Epoch;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.optim.StepExtras;
import org.repopt4j.runtime.CudaMemory;
import org.repopt4j.runtime.StepScope;

/**
 * The training loop, in the order of the official {@code main_repopt.py}: forward, loss, backward,
 * step, schedule; an evaluation after an epoch; the best and the last weights kept. Between two
 * steps it may write a checkpoint, and from one it goes on as if it had never stopped.
 */
public final class Trainer {
  private static final long REPORT_NANOS = 200_000_000;

  private final TrainConfig config;
  private final Session session;
  private final CheckpointSettings settings;
  private final CheckpointStorage storage;
  private final TrainListener listener;
  private final BooleanSupplier stop;
  private final ForwardPass forward;
  private final Evaluator evaluator;

  private enum End {
    WHOLE,
    STOPPED,
    ROLLED_BACK
  }

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
    this.forward = new ForwardPass(session.device(), config.run().precision());
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
    try (LossGuard guard = new LossGuard(session.device(), settings.onNan());
        Checkpointing checkpointing = new Checkpointing(session, settings, storage, listener)) {
      // Before the lock, with which the folder is made.
      Optional<RunState> named = checkpointing.named();
      // What is being written is done before the lock is given up.
      try (FolderLock lock = session.folder().lock();
          checkpointing) {
        return locked(named, checkpointing, guard);
      }
    }
  }

  private TrainResult locked(Optional<RunState> named, Checkpointing checkpointing, LossGuard guard)
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
    EpochSaver saver = new EpochSaver(session, settings, listener);
    FaultPolicy policy = new FaultPolicy(session, settings, checkpointing, guard, listener);
    BatchLoader loader = session.trainLoader();
    int epochs = config.schedule().epochs();
    EpochRow last = state.rows.isEmpty() ? null : state.rows.get(state.rows.size() - 1);
    boolean stopped = false;
    while (state.epoch < epochs && !stopped) {
      session.network().train(true);
      long begin = System.nanoTime();
      double before = state.seconds;
      TrainedEpoch trained = trainRest(state, loader, checkpointing, guard, policy);
      if (trained.end == End.ROLLED_BACK) {
        continue;
      }
      boolean evaluate =
          (state.epoch + 1) % config.run().evalEvery() == 0 || state.epoch + 1 == epochs;
      Optional<Evaluator.Result> tested =
          evaluate && trained.end == End.WHOLE
              ? Optional.of(evaluator.evaluate(session.network(), session.testLoader(), stop))
              : Optional.empty();
      Optional<Evaluator.Result> averaged =
          tested.isPresent()
              ? session.ema().map(e -> evaluator.evaluate(e.network(), session.testLoader(), stop))
              : Optional.empty();
      stopped = trained.end == End.STOPPED || stop.getAsBoolean();
      if (stopped) {
        // An evaluation that was cut short says nothing.
        tested = Optional.empty();
        averaged = Optional.empty();
        checkpointing.writeNow(state);
      }
      double seconds = before + (System.nanoTime() - begin) / 1e9;
      last = row(state.epoch, trained, tested, averaged, seconds);
      // An epoch that was not evaluated has NaN, which is above nothing.
      boolean best = last.evalTop1() > state.bestTop1;
      boolean bestEma = last.emaTop1() > state.bestEmaTop1;
      if (saver.isSaved(state, last, best, bestEma, stopped)) {
        state.bestTop1 = best ? last.evalTop1() : state.bestTop1;
        state.bestEmaTop1 = bestEma ? last.emaTop1() : state.bestEmaTop1;
      }
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

  private record TrainedEpoch(
      RunningMean.Means means, double imagesPerSecond, double lr, End end) {}

  /** The batches of the state's epoch that are still to be trained on. */
  private TrainedEpoch trainRest(
      RunState state,
      BatchLoader loader,
      Checkpointing checkpointing,
      LossGuard guard,
      FaultPolicy policy)
      throws IOException {
    session.optimizer().zeroGrad();
    try (RunningMean mean = new RunningMean(session.device());
        Epoch batches = loader.epoch(state.epoch, state.nextBatch)) {
      mean.restore(state.sums, state.images);
      try {
        return train(state, loader, batches, mean, checkpointing, guard, policy);
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

  private TrainedEpoch train(
      RunState state,
      BatchLoader loader,
      Epoch batches,
      RunningMean mean,
      Checkpointing checkpointing,
      LossGuard guard,
      FaultPolicy policy)
      throws IOException {
    long begin = System.nanoTime();
    long reported = begin;
    double secondsBefore = state.seconds;
    long imagesBefore = state.images;
    End end = End.WHOLE;
    for (Batch batch : batches) {
      boolean updated = false;
      Optional<LossGuard.Fault> fault = Optional.empty();
      try (batch;
          StepScope step = StepScope.open()) {
        if (!state.skipped.contains(state.epoch + "/" + batch.step())) {
          fault = backward(state.epoch, batch, mean, guard);
          updated = fault.isEmpty() && update(state, batch);
        } else if (isStep(batch)) {
          // The step of its group is left out with it.
          session.optimizer().zeroGrad();
        }
      }
      state.batches++;
      state.nextBatch = batch.step() + 1;
      boolean atEnd = state.nextBatch == loader.batchesPerEpoch();
      // Gradients that wait for their step are in no checkpoint, so their step is finished first.
      boolean stopped = (isStep(batch) || atEnd) && stop.getAsBoolean();
      long now = System.nanoTime();
      boolean report = now - reported > REPORT_NANOS || stopped || atEnd;
      boolean save = updated && checkpointing.isDue(state);
      if (report || save) {
        fault = fault.isPresent() ? fault : guard.look();
      }
      if (fault.isPresent() && policy.isRolledBack(fault.get(), state)) {
        end = End.ROLLED_BACK;
        break;
      }
      if (report || save) {
        state.seconds = secondsBefore + (now - begin) / 1e9;
        state.images = mean.images();
      }
      if (save || stopped || atEnd) {
        state.sums = mean.sums();
        state.images = mean.images();
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
        report(mean, (mean.images() - imagesBefore) / ((now - begin) / 1e9), state, loader);
      }
      if (stopped) {
        end = End.STOPPED;
        break;
      }
    }
    double speed = (mean.images() - imagesBefore) / ((System.nanoTime() - begin) / 1e9);
    return new TrainedEpoch(mean.read(), speed, state.lr, end);
  }

  /** Forward, loss and backward of one batch: the gradients are added to those that are there. */
  private Optional<LossGuard.Fault> backward(
      int epoch, Batch batch, RunningMean mean, LossGuard guard) {
    guard.before(session.network());
    Tensor labels = forward.labels(batch);
    TrainingPass pass =
        TrainingPass.of(forward, session.network(), batch.images(), config.run().recompute());
    Tensor loss = Losses.crossEntropy(pass.logits(), labels, config.optim().smoothing());
    Optional<LossGuard.Fault> fault = guard.after(epoch, batch, loss);
    if (fault.isEmpty()) {
      Tensor share = Losses.share(loss, config.optim().gradAccumSteps());
      pass.backward(session.gradientStep().scaled(share));
      mean.add(loss, pass.logits(), labels);
    }
    return fault;
  }

  /** The step of a batch, if it is its turn. */
  private boolean update(RunState state, Batch batch) {
    if (!isStep(batch)) {
      return false;
    }
    // The official loop sets the rate after each step, so a step uses what the one before it left.
    double rate = session.schedule().forStep(state.lastUpdate + 1);
    RepOptimizer optimizer = session.optimizer();
    StepExtras extras = session.ema().map(ema -> ema.inStepOf(optimizer)).orElse(StepExtras.NONE);
    if (session.gradientStep().step(rate, extras)) {
      session.ema().ifPresent(ema -> ema.update(session.network()));
    } else {
      listener.notice(
          "a float16 gradient overflowed in step "
              + (state.updates + 1)
              + ": left out; the gradient scale is now "
              + session.gradientStep().scaler().scale());
    }
    optimizer.zeroGrad();
    state.lr = rate;
    state.lastUpdate = state.batches;
    state.updates++;
    return true;
  }

  private boolean isStep(Batch batch) {
    return (batch.step() + 1) % config.optim().gradAccumSteps() == 0;
  }

  private void report(RunningMean mean, double speed, RunState state, BatchLoader loader) {
    RunningMean.Means means = mean.read();
    long perEpoch = loader.batchesPerEpoch();
    long left = perEpoch * (config.schedule().epochs() - state.epoch) - state.nextBatch;
    listener.progress(
        new TrainListener.Progress(
            state.epoch,
            config.schedule().epochs(),
            state.nextBatch,
            perEpoch,
            means.loss(),
            means.top1(),
            speed,
            state.lr,
            left * config.data().batchSize() / speed));
  }

  private static EpochRow row(
      int epoch,
      TrainedEpoch trained,
      Optional<Evaluator.Result> tested,
      Optional<Evaluator.Result> averaged,
      double seconds) {
    return new EpochRow(
        epoch,
        trained.means().loss(),
        trained.means().top1(),
        tested.map(Evaluator.Result::loss).orElse(Double.NaN),
        tested.map(Evaluator.Result::top1).orElse(Double.NaN),
        tested.map(Evaluator.Result::top5).orElse(Double.NaN),
        averaged.map(Evaluator.Result::top1).orElse(Double.NaN),
        trained.lr(),
        trained.imagesPerSecond(),
        seconds);
  }
}
