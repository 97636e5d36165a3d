package org.repopt4j.bench;

import static com.google.common.base.Preconditions.checkState;

import org.bytedeco.pytorch.Tensor;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.train.ForwardPass;
import org.repopt4j.train.Losses;

/** One step of training, as the training loop makes it: forward, loss, backward, update. */
final class TrainingStep implements Work {
  private final Subject subject;
  private final ForwardPass forward;
  private final RepOptimizer optimizer;
  private final SyntheticBatch batch;
  private long handles;

  TrainingStep(BenchSettings settings, Subject subject) {
    this.subject = subject;
    this.forward = new ForwardPass(subject.device(), settings.precision());
    this.optimizer = subject.optimizer(settings.opt(), settings.engine());
    this.batch = SyntheticBatch.draw(settings, subject.device());
  }

  @Override
  public String name() {
    return "training step";
  }

  @Override
  public long images() {
    return batch.size();
  }

  @Override
  public void run() {
    long before = Natives.handles();
    try (StepScope step = StepScope.open()) {
      Tensor logits = forward.logits(subject.network(), batch.images());
      Tensor loss = Losses.crossEntropy(logits, batch.labels(), /* smoothing= */ 0);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step(Subject.LEARNING_RATE);
      double value = loss.item_double();
      checkState(Double.isFinite(value), "the loss became %s, so its time means nothing", value);
      subject.device().await();
      handles = Natives.handles() - before;
    }
  }

  @Override
  public long handles() {
    return handles;
  }
}
