package org.repopt4j.train;

import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.data.Batch;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.optim.StepExtras;

/** What training does with one batch: forward, loss, backward and, when it is its turn, step. */
final class BatchStep {
  private final Session session;
  private final TrainConfig config;
  private final LossGuard guard;
  private final TrainListener listener;
  private final ForwardPass forward;

  BatchStep(Session session, LossGuard guard, TrainListener listener) {
    this.session = session;
    this.config = session.config();
    this.guard = guard;
    this.listener = listener;
    this.forward = new ForwardPass(session.device(), config.run().precision());
  }

  /** Forward, loss and backward: the gradients are added to those that are there. */
  Optional<LossGuard.Fault> backward(int epoch, Batch batch, RunningMean mean) {
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

  /** Whether the step of a group of batches is made after this one. */
  boolean endsGroup(Batch batch) {
    return (batch.step() + 1) % config.optim().gradAccumSteps() == 0;
  }

  /** The step of a batch, if it is its turn. */
  boolean update(RunState state, Batch batch) {
    if (!endsGroup(batch)) {
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
}
