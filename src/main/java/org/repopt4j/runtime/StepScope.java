package org.repopt4j.runtime;

import static com.google.common.base.Preconditions.checkNotNull;

import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;

/**
 * The native memory of one step: every tensor that this thread makes while the scope is open is
 * freed when it closes, except those handed to {@link #keep}. Without it the memory waits for
 * Java's garbage collector, which does not see how much there is.
 *
 * <pre>{@code
 * Tensor mean;
 * try (StepScope step = StepScope.open()) {
 *   mean = step.keep(x.mul(x).mean());   // x.mul(x) is freed at the brace, the mean is not
 * }
 * }</pre>
 *
 * <p>Scopes nest. A scope belongs to the thread that opened it.
 */
public final class StepScope implements AutoCloseable {
  private final PointerScope outer = PointerScope.getInnerScope();
  private final PointerScope scope = new PointerScope();

  private StepScope() {}

  /** Opens a scope on this thread. */
  public static StepScope open() {
    return new StepScope();
  }

  /**
   * Lets a value outlive this scope: it then belongs to the scope around this one, as if it had
   * been made there. Where there is none it is freed by its own {@code close()} or, at the latest,
   * by the garbage collector. What must outlive every scope is for {@link Retained}.
   *
   * @return {@code value} itself
   */
  public <T extends Pointer> T keep(T value) {
    checkNotNull(value, "value");
    if (outer == null) {
      return Retained.retain(value);
    }
    outer.attach(value);
    return value;
  }

  @Override
  public void close() {
    scope.close();
  }
}
