package org.repopt4j.crosscheck;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * What a process prints into a file, read while it prints. A pipe would not do: it ends only when
 * every process that has inherited it has ended, also one that nobody knows of.
 */
final class PrintedLines {
  private static final int POLL_MILLIS = 50;

  private PrintedLines() {}

  /**
   * Hands out each line as it is printed, until the process has ended.
   *
   * @param file the process's output, which exists
   * @param line is told UTF-8 text, without what ends the line
   */
  static void follow(Process process, Path file, Consumer<String> line)
      throws IOException, InterruptedException {
    ByteArrayOutputStream begun = new ByteArrayOutputStream();
    try (InputStream printed = Files.newInputStream(file)) {
      boolean ended;
      do {
        // Asked before the file is: what the process has printed by its end is there then.
        ended = process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS);
        for (byte next : printed.readNBytes(printed.available())) {
          if (next == '\n') {
            hand(begun, line);
          } else {
            begun.write(next);
          }
        }
      } while (!ended);
    }
    if (begun.size() > 0) {
      hand(begun, line);
    }
  }

  private static void hand(ByteArrayOutputStream begun, Consumer<String> line) {
    String text = begun.toString(StandardCharsets.UTF_8);
    begun.reset();
    line.accept(text.endsWith("\r") ? text.substring(0, text.length() - 1) : text);
  }
}
