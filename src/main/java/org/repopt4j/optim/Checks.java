package org.repopt4j.optim;

import static com.google.common.base.Preconditions.checkArgument;

/** The ranges that hyper-parameters may come from. */
final class Checks {
  private Checks() {}

  /** The value, if it is finite and at least 0. */
  static double notNegative(String what, double value) {
    checkArgument(
        Double.isFinite(value) && value >= 0, "%s must be finite and >= 0, got: %s", what, value);
    return value;
  }

  /** The value, if it is in [0, 1). */
  static double belowOne(String what, double value) {
    checkArgument(value >= 0 && value < 1, "%s must be in [0, 1), got: %s", what, value);
    return value;
  }
}
