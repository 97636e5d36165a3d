package org.repopt4j.crosscheck;

/** What a comparison came to. */
public enum Verdict {
  /** Every value is the same. */
  BIT_EQUAL("bit-equal"),
  /** The difference is within what rounding explains. */
  AGREES("agrees"),
  /** The library computes something else, and its documentation says so. */
  ON_PURPOSE("differs on purpose"),
  /** The difference is larger than it may be. */
  DEPARTS("DEPARTS");

  private final String words;

  Verdict(String words) {
    this.words = words;
  }

  @Override
  public String toString() {
    return words;
  }
}
