package org.repopt4j.crosscheck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the processes are shell scripts")
class PrintedLinesTest {
  @TempDir Path folder;

  private final List<String> lines = new ArrayList<>();

  private Process start(String script) throws IOException {
    return new ProcessBuilder("sh", "-c", script)
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("log").toFile())
        .start();
  }

  private void follow(Process process) throws IOException, InterruptedException {
    PrintedLines.follow(process, folder.resolve("log"), lines::add);
    assertFalse(process.isAlive());
  }

  @Test
  void linesOfEveryKindAreHandedOut() throws Exception {
    follow(start("printf 'a\\n\\nb\\r\\n\\303\\274ber\\n\\351\\nlast'"));
    assertEquals(List.of("a", "", "b", "\u00fcber", "\ufffd", "last"), lines);
  }

  @Test
  void nothingPrintedIsNoLine() throws Exception {
    follow(start("exit 3"));
    assertEquals(List.of(), lines);
  }

  /** The process waits for a file that is made when its line has come. */
  @Test
  @Timeout(30)
  void aLineComesWhileTheProcessRuns() throws Exception {
    Path seen = folder.resolve("seen");
    Process process =
        start(
            "printf 'be'; printf 'gun\\n'; while [ ! -e "
                + seen
                + " ]; do sleep 0.01; done; echo end");
    PrintedLines.follow(
        process,
        folder.resolve("log"),
        line -> {
          lines.add(line);
          if (line.equals("begun")) {
            make(seen);
          }
        });
    assertEquals(List.of("begun", "end"), lines);
  }

  private static void make(Path file) {
    try {
      Files.createFile(file);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void thousandsOfLinesComeWholeAndInOrder() throws Exception {
    follow(start("i=0; while [ $i -lt 20000 ]; do echo \"line $i\"; i=$((i+1)); done"));
    assertEquals(20_000, lines.size());
    for (int i = 0; i < lines.size(); i++) {
      assertEquals("line " + i, lines.get(i));
    }
  }
}
