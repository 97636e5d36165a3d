package org.repopt4j.train;

import com.google.common.base.CharMatcher;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a {@link ChildRun} notes while it lives: a dot for each step, b and the step for each copy,
 * d and the step for each checkpoint that is on the disk.
 *
 * @param lastWritten the step of the last checkpoint that it saw written
 * @param mostWithout the most steps since a copy, not counting those while one was being written
 */
record ChildNotes(long lastWritten, int mostWithout, String text) {
  private static final Pattern NOTE = Pattern.compile("(\\.)|b(\\d+);|d(\\d+);");

  static Path file(Path run) {
    return Path.of(run + ".steps");
  }

  static synchronized void add(Path run, String mark) {
    try {
      Files.write(
          file(run),
          mark.getBytes(StandardCharsets.UTF_8),
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The notes so far. */
  static ChildNotes read(Path run) throws IOException {
    String text = Files.exists(file(run)) ? Files.readString(file(run)) : "";
    long lastWritten = 0;
    int since = 0;
    int most = 0;
    boolean writing = false;
    Matcher notes = NOTE.matcher(text);
    while (notes.find()) {
      if (notes.group(2) != null) {
        since = 0;
        writing = true;
      } else if (notes.group(3) != null) {
        lastWritten = Long.parseLong(notes.group(3));
        writing = false;
      } else if (!writing) {
        since++;
        most = Math.max(most, since);
      }
    }
    return new ChildNotes(lastWritten, most, text);
  }

  int steps() {
    return dots(text);
  }

  /** Whether a copy was taken that is not yet on the disk. */
  boolean isWriting() {
    return text.lastIndexOf('b') > text.lastIndexOf('d');
  }

  /** What the kill cost: steps since the copy that is the newest on the disk. */
  int stepsSinceCopyOf(long newest) {
    return dots(text.substring(behind("b" + newest + ";")));
  }

  /**
   * An interval, and the steps that went by while the newest and the one after it were being
   * written, which is beside training.
   */
  int allowedAge(long newest) {
    String rest = text.substring(behind("b" + newest + ";"));
    int done = rest.indexOf('d');
    int next = rest.indexOf('b');
    int writing = newest == 0 ? 0 : dots(done < 0 ? rest : rest.substring(0, done));
    int writingNext = next < 0 ? 0 : dots(rest.substring(next));
    // The run asks once more whether to stop where an epoch ends.
    return Math.max(ChildRun.INTERVAL, writing) + 2 + writingNext;
  }

  /** Where a note ends; the beginning, if it was made by the life before. */
  private int behind(String note) {
    int at = text.lastIndexOf(note);
    return at < 0 ? 0 : at + note.length();
  }

  private static int dots(String part) {
    return CharMatcher.is('.').countIn(part);
  }
}
