package org.repopt4j.train;

/** The loss is no longer a finite number: going on would be of no use. */
public final class TrainingDivergedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** A sentence that says where, and what to lower. */
  public TrainingDivergedException(String message) {
    super(message);
  }
}
