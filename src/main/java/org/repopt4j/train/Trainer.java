package org.repopt4j.train;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.data.Batch;
import org.repopt4j.data.BatchLoader;
import org.repopt4j.data.Epoch;
import org.repopt4j.optim.LearningRateSchedule;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.runtime.StepScope;

/**
 * The training loop, in the order of the official {@code main_repopt.py}: forward, loss, backward,
 * step, schedule; an evaluation after an epoch; the best and the last weights kept.
 */
public final class Trainer {
  private static final long REPORT_NANOS = 200_000_000;

  private final TrainConfig config;
  private final Session session;
  private final TrainListener listener;
  private final BooleanSupplier stop;
  private final ForwardPass forward;
  private final Evaluator evaluator;

  /**
   * A trainer of one run.
   *
   * @param stop asked after each step; true ends the run cleanly with what was reached
   */
  public Trainer(
      TrainConfig config, Session session, TrainListener listener, BooleanSupplier stop) {
    this.config = config;
    this.session = session;
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
   */
  public TrainResult run() throws IOException {
    BatchLoader loader = session.trainLoader();
    listener.started(session.describe());
    session.folder().begin(config);
    Progressing progressing = new Progressing(loader.batchesPerEpoch());
    EpochRow last = null;
    double bestTop1 = Double.NEGATIVE_INFINITY;
    double bestEmaTop1 = Double.NEGATIVE_INFINITY;
    int epochs = config.schedule().epochs();
    for (int epoch = 0; epoch < epochs && !progressing.stopped; epoch++) {
      long begin = System.nanoTime();
      session.network().train(true);
      TrainedEpoch trained = trainOneEpoch(epoch, loader, progressing);
      boolean evaluate = (epoch + 1) % config.run().evalEvery() == 0 || epoch + 1 == epochs;
      Optional<Evaluator.Result> tested =
          evaluate && !progressing.stopped
              ? Optional.of(evaluator.evaluate(session.network(), session.testLoader(), stop))
              : Optional.empty();
      Optional<Evaluator.Result> averaged =
          tested.isPresent()
              ? session.ema().map(e -> evaluator.evaluate(e.network(), session.testLoader(), stop))
              : Optional.empty();
      if (stop.getAsBoolean()) {
        // An evaluation that was cut short says nothing.
        progressing.stopped = true;
        tested = Optional.empty();
        averaged = Optional.empty();
      }
      last = row(epoch, trained, tested, averaged, (System.nanoTime() - begin) / 1e9);
      session.folder().append(last);
      // An epoch that was not evaluated has NaN, which is above nothing.
      boolean best = last.evalTop1() > bestTop1;
      boolean bestEma = last.emaTop1() > bestEmaTop1;
      bestTop1 = best ? last.evalTop1() : bestTop1;
      bestEmaTop1 = bestEma ? last.emaTop1() : bestEmaTop1;
      session.folder().save(session, epoch, last, best, bestEma);
      listener.epochFinished(last);
    }
    if (progressing.stopped) {
      listener.stopped(progressing.batches);
    }
    return new TrainResult(
        last, Math.max(bestTop1, bestEmaTop1), progressing.stopped, session.folder().path());
  }

  private record TrainedEpoch(RunningMean.Means means, double imagesPerSecond, double lr) {}

  /** What goes on from epoch to epoch. */
  private static final class Progressing {
    final long batchesPerEpoch;
    long batches;
    long lastUpdate = -1;
    double lr;
    boolean stopped;

    Progressing(long batchesPerEpoch) {
      this.batchesPerEpoch = batchesPerEpoch;
    }
  }

  private TrainedEpoch trainOneEpoch(int epoch, BatchLoader loader, Progressing state) {
    int accumulate = config.optim().gradAccumSteps();
    LearningRateSchedule schedule = session.schedule();
    RepOptimizer optimizer = session.optimizer();
    long begin = System.nanoTime();
    long reported = begin;
    optimizer.zeroGrad();
    try (RunningMean mean = new RunningMean(session.device());
        Epoch batches = loader.epoch(epoch)) {
      for (Batch batch : batches) {
        try (batch;
            StepScope step = StepScope.open()) {
          backward(batch, mean);
          if ((batch.step() + 1) % accumulate == 0) {
            // The official loop sets the rate after each step, so a step uses what the one before
            // it left.
            state.lr = schedule.forStep(state.lastUpdate + 1);
            state.lastUpdate = state.batches;
            clip();
            optimizer.step(state.lr);
            optimizer.zeroGrad();
            session.ema().ifPresent(ema -> ema.update(session.network()));
          }
          state.batches++;
        }
        state.stopped = stop.getAsBoolean();
        long now = System.nanoTime();
        boolean atEnd = batch.step() + 1 == state.batchesPerEpoch;
        if (now - reported > REPORT_NANOS || atEnd || state.stopped) {
          reported = now;
          report(epoch, batch.step() + 1, mean, (now - begin) / 1e9, state);
        }
        if (state.stopped) {
          break;
        }
      }
      double seconds = (System.nanoTime() - begin) / 1e9;
      return new TrainedEpoch(mean.read(), mean.images() / seconds, state.lr);
    }
  }

  /** Forward, loss and backward of one batch: the gradients are added to those that are there. */
  private void backward(Batch batch, RunningMean mean) {
    Tensor labels = forward.labels(batch);
    Tensor logits = forward.logits(session.network(), batch);
    Tensor loss = Losses.crossEntropy(logits, labels, config.optim().smoothing());
    Losses.share(loss, config.optim().gradAccumSteps()).backward();
    mean.add(loss, logits, labels);
  }

  private void clip() {
    if (config.optim().clipGrad() > 0) {
      Map<String, Tensor> named = session.network().namedParameters();
      torch.clip_grad_norm_(
          new TensorVector(named.values().toArray(new Tensor[0])), config.optim().clipGrad());
    }
  }

  private void report(int epoch, long step, RunningMean mean, double seconds, Progressing state) {
    RunningMean.Means means = mean.read();
    if (!Double.isFinite(means.loss())) {
      throw new TrainingDivergedException(
          "the loss is "
              + means.loss()
              + " in epoch "
              + epoch
              + " at or before batch "
              + step
              + "; lower --lr (now "
              + state.lr
              + "), lengthen --warmup-epochs, or add --clip-grad where no Grad Mults are in use");
    }
    double perBatch = seconds / step;
    double left =
        perBatch
            * (state.batchesPerEpoch * config.schedule().epochs()
                - epoch * state.batchesPerEpoch
                - step);
    listener.progress(
        new TrainListener.Progress(
            epoch,
            config.schedule().epochs(),
            step,
            state.batchesPerEpoch,
            means.loss(),
            means.top1(),
            mean.images() / seconds,
            state.lr,
            left));
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
