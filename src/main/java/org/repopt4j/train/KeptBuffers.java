package org.repopt4j.train;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;

/** A network's buffers (statistics of batch normalisation) as they were, to be put back. */
final class KeptBuffers implements AutoCloseable {
  private final Map<String, Tensor> buffers = new LinkedHashMap<>();

  /** Keeps them as they are now, in the place of what was kept before. */
  void keep(Network network) {
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      for (Map.Entry<String, Tensor> entry : network.namedBuffers().entrySet()) {
        Tensor kept = buffers.get(entry.getKey());
        if (kept == null) {
          buffers.put(entry.getKey(), Retained.retain(entry.getValue().clone()));
        } else {
          kept.copy_(entry.getValue());
        }
      }
    }
  }

  /** Puts back what was kept last. */
  void putBack(Network network) {
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      network.namedBuffers().forEach((name, buffer) -> buffer.copy_(buffers.get(name)));
    }
  }

  @Override
  public void close() {
    buffers.values().forEach(Tensor::close);
    buffers.clear();
  }
}
