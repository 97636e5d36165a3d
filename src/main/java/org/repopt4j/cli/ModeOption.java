package org.repopt4j.cli;

import org.repopt4j.nn.Mode;

/** The value of {@code --mode}. */
final class ModeOption {
  private ModeOption() {}

  static Mode parse(String text) {
    try {
      return Mode.parse(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("--" + e.getMessage(), e);
    }
  }
}
