package org.repopt4j.bench;

import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.train.ForwardPass;

/** One batch through the network as evaluation has it. */
final class InferenceStep implements Work {
  private final Subject subject;
  private final ForwardPass forward;
  private final SyntheticBatch batch;
  private long handles;

  InferenceStep(BenchSettings settings, Subject subject) {
    this.subject = subject;
    this.forward = new ForwardPass(subject.device(), settings.precision());
    this.batch = SyntheticBatch.draw(settings, subject.device());
  }

  @Override
  public String name() {
    return "inference step";
  }

  @Override
  public long images() {
    return batch.size();
  }

  @Override
  public void run() {
    long before = Natives.handles();
    try (NoGrad noGrad = NoGrad.open();
        StepScope step = StepScope.open()) {
      forward.logits(subject.network(), batch.images());
      subject.device().await();
      handles = Natives.handles() - before;
    }
  }

  @Override
  public long handles() {
    return handles;
  }
}
