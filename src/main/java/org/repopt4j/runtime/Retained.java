package org.repopt4j.runtime;

import org.bytedeco.javacpp.Pointer;

/**
 * Values that outlive the scope they were made in: parameters, buffers, optimizer state, modules.
 */
public final class Retained {
  private Retained() {}

  /**
   * Protects {@code value} from the end of any {@link StepScope} that is open now; it lives until
   * it is closed or unreachable.
   *
   * @return {@code value} itself
   */
  @SuppressWarnings("unchecked")
  public static <T extends Pointer> T retain(T value) {
    return (T) value.retainReference();
  }
}
