package org.repopt4j.bench;

import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;

/** The optimizer's step over all parameters of a network, with the same random gradients always. */
final class UpdateStep implements Work {
  private static final double GRADIENT = 1e-3;

  private final Subject subject;
  private final RepOptimizer optimizer;
  private final Streams streams;

  UpdateStep(BenchSettings settings, Subject subject) {
    this.subject = subject;
    this.optimizer = subject.optimizer(settings.opt(), settings.engine());
    this.streams = Streams.of(settings.opt(), /* mask= */ false);
    Natives.manualSeed(settings.seed());
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      for (Tensor parameter : subject.parameters().values()) {
        parameter.mutable_grad().put(torch.randn_like(parameter).mul_(new Scalar(GRADIENT)));
      }
    }
  }

  @Override
  public String name() {
    return "update";
  }

  @Override
  public long bytes() {
    return streams.bytes(elements());
  }

  @Override
  public void run() {
    optimizer.step(Subject.LEARNING_RATE);
    subject.device().await();
  }

  UpdateRule rule() {
    return optimizer.rule();
  }

  long elements() {
    return subject.parameters().values().stream().mapToLong(Tensor::numel).sum();
  }

  /** Bytes of the tensors that the optimizer keeps from step to step. */
  long stateBytes() {
    try (StepScope scope = StepScope.open()) {
      Map<String, Tensor> state = optimizer.state().tensors();
      return state.values().stream()
          .mapToLong(tensor -> tensor.numel() * tensor.element_size())
          .sum();
    }
  }
}
