package org.repopt4j.bench;

import static com.google.common.base.Preconditions.checkState;

import org.bytedeco.pytorch.Tensor;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.optim.StepExtras;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.train.ForwardPass;
import org.repopt4j.train.GradientStep;
import org.repopt4j.train.Losses;
import org.repopt4j.train.TrainingPass;

/** One step of training, as the training loop makes it: forward, loss, backward, update. */
final class TrainingStep implements Work {
  private final Subject subject;
  private final ForwardPass forward;
  private final RepOptimizer optimizer;
  private final GradientStep step;
  private final boolean recompute;
  private final SyntheticBatch batch;
  private long handles;

  TrainingStep(BenchSettings settings, Subject subject) {
    this(settings, subject, subject.optimizer(settings.opt(), settings.engine()));
  }

  /** With an optimizer that has made other steps before, and keeps its state. */
  TrainingStep(BenchSettings settings, Subject subject, RepOptimizer optimizer) {
    this.subject = subject;
    this.optimizer = optimizer;
    this.forward = new ForwardPass(subject.device(), settings.precision());
    this.step =
        new GradientStep(optimizer, subject.parameters(), settings.precision(), /* clipGrad= */ 0);
    this.recompute = settings.recompute();
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
    try (StepScope scope = StepScope.open()) {
      TrainingPass pass = TrainingPass.of(forward, subject.network(), batch.images(), recompute);
      Tensor loss = Losses.crossEntropy(pass.logits(), batch.labels(), /* smoothing= */ 0);
      optimizer.zeroGrad();
      pass.backward(step.scaled(loss));
      step.step(Subject.LEARNING_RATE, StepExtras.NONE);
      double value = loss.item_double();
      checkState(Double.isFinite(value), "the loss became %s, so its time means nothing", value);
      subject.device().await();
      handles = Natives.handles() - before;
    }
  }

  /** Frees the batch and drops the gradients; the step is not run again. */
  void close() {
    optimizer.zeroGrad();
    batch.images().close();
    batch.labels().close();
  }

  @Override
  public long handles() {
    return handles;
  }
}
