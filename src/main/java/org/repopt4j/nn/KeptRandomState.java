package org.repopt4j.nn;

import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.RandomStates;

/**
 * Gives libtorch's default CPU generator its state back when it is closed, so that making a network
 * only to overwrite its weights does not change what a training run draws next.
 */
final class KeptRandomState implements AutoCloseable {
  private final ComputeDevice cpu = ComputeDevice.cpu();
  private final Map<String, Tensor> states = RandomStates.read(cpu);

  private KeptRandomState() {}

  static KeptRandomState open() {
    return new KeptRandomState();
  }

  @Override
  public void close() {
    RandomStates.restore(states, cpu);
    states.values().forEach(Tensor::close);
  }
}
