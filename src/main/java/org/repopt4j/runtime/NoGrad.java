package org.repopt4j.runtime;

import org.bytedeco.pytorch.GradMode;

/**
 * Switches autograd off on this thread until it is closed, like Python's {@code torch.no_grad()}.
 */
public final class NoGrad implements AutoCloseable {
  private final boolean before = GradMode.is_enabled();

  private NoGrad() {
    GradMode.set_enabled(false);
  }

  /** Switches autograd off; {@link #close} restores what was set before. */
  public static NoGrad open() {
    Natives.load();
    return new NoGrad();
  }

  @Override
  public void close() {
    GradMode.set_enabled(before);
  }
}
