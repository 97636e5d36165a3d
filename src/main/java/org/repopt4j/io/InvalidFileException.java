package org.repopt4j.io;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A file that is not what it should be. The message is one line: the file, what is wrong with it,
 * where, and the way out if there is one.
 */
public final class InvalidFileException extends IOException {
  private static final long serialVersionUID = 1L;
  private static final int LONGEST_QUOTE = 100;

  /** The refusal of {@code file} because of {@code problem}, a sentence without a full stop. */
  public InvalidFileException(Path file, String problem) {
    super(file + ": " + oneLine(problem));
  }

  /** Text from a file, in quotes, made fit for a message. */
  static String quote(String text) {
    return "'" + printable(text) + "'";
  }

  /**
   * Text from a file, made fit for people: cut to a hundred characters, and without control
   * characters, which could rewrite the terminal that shows them.
   */
  public static String printable(String text) {
    return oneLine(text.length() > LONGEST_QUOTE ? text.substring(0, LONGEST_QUOTE) + "..." : text);
  }

  /** Text without control characters and line breaks, which become question marks. */
  public static String oneLine(String text) {
    StringBuilder line = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              int type = Character.getType(c);
              boolean invisible =
                  type == Character.CONTROL
                      || type == Character.FORMAT
                      || type == Character.SURROGATE
                      || type == Character.LINE_SEPARATOR
                      || type == Character.PARAGRAPH_SEPARATOR;
              line.appendCodePoint(invisible ? '?' : c);
            });
    return line.toString();
  }
}
