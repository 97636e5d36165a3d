package org.repopt4j.data;

/** An image of a data set cannot be decoded; the others may be whole. */
public final class CorruptImageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** A sentence that names the file or the place, and what is wrong. */
  public CorruptImageException(String message) {
    super(message);
  }
}
