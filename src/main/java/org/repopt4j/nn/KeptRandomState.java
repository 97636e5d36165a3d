package org.repopt4j.nn;

import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.Retained;

/**
 * Gives libtorch's default CPU generator its state back when it is closed, so that making a network
 * only to overwrite its weights does not change what a training run draws next.
 */
final class KeptRandomState implements AutoCloseable {
  private final Generator generator;
  private final Tensor state;

  private KeptRandomState() {
    Natives.load();
    generator = torch.getDefaultCPUGenerator();
    state = Retained.retain(generator.get_state());
  }

  static KeptRandomState open() {
    return new KeptRandomState();
  }

  @Override
  public void close() {
    generator.set_state(state);
    state.close();
  }
}
