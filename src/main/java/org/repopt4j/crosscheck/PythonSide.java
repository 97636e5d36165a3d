package org.repopt4j.crosscheck;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/**
 * Lets the official code compute the cases: runs {@code official_side.py} with the user's Python,
 * which needs torch and numpy.
 *
 * @param python the program, a name on the path or a path
 * @param script where {@code official_side.py} is
 * @param cases how many random cases
 * @param seed of them
 * @param threads of one operator, at least 1
 * @param patience how long one case may take before Python is taken to hang
 */
public record PythonSide(
    String python, Path script, int cases, long seed, int threads, Duration patience) {
  private static final int MODULE_MISSING = 3;
  private static final String PROGRESS = "python: ";

  /**
   * The script of this distribution, or of the source tree that the process runs in.
   *
   * @throws IOException if it is in neither
   */
  public static Path findScript() throws IOException {
    String home = System.getProperty("repopt.home");
    Path script =
        home == null
            ? Path.of("tests", "crosscheck", "official_side.py")
            : Path.of(home, "crosscheck", "official_side.py");
    if (!Files.isRegularFile(script)) {
      throw new IOException(
          script.toAbsolutePath()
              + " is missing; start target/repopt4j/bin/repopt, which brings it along");
    }
    return script;
  }

  /**
   * Computes all cases and waits for the end.
   *
   * @param results an existing folder for {@code manifest.json} and its files
   * @param log for all that Python prints
   * @param progress is told the name of each case that begins
   * @throws IOException if Python cannot be started, lacks torch or numpy, fails or hangs; the
   *     message has the last line that it printed
   */
  public void run(OfficialRepository official, Path results, Path log, Consumer<String> progress)
      throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
                List.of(
                    python,
                    script.toAbsolutePath().toString(),
                    "--official=" + official.folder().toAbsolutePath(),
                    "--output=" + results.toAbsolutePath(),
                    "--cases=" + cases,
                    "--seed=" + seed,
                    "--threads=" + threads))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().put("PYTHONUTF8", "1");
    builder.environment().put("PYTHONWARNINGS", "ignore");
    builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
    Process process = start(builder);
    // A signal that ends this process must not leave Python at work.
    Thread atExit = new Thread(() -> Patience.stop(process), "stop-python");
    Runtime.getRuntime().addShutdownHook(atExit);
    try (Patience waiting = Patience.with(process, patience)) {
      String last = follow(process, log, subject -> reached(waiting, subject, progress));
      int code = process.waitFor();
      waiting.check();
      if (code != 0) {
        throw new IOException(failure(code, last));
      }
    } catch (InterruptedException e) {
      throw new InterruptedIOException("stopped while Python was at work");
    } finally {
      Patience.stop(process);
      withoutHook(atExit);
    }
  }

  private static void reached(Patience waiting, String subject, Consumer<String> progress) {
    waiting.renew(subject);
    progress.accept(subject);
  }

  private static void withoutHook(Thread atExit) throws InterruptedIOException {
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      throw new InterruptedIOException("stopped while Python was at work");
    }
  }

  private Process start(ProcessBuilder builder) throws IOException {
    try {
      return builder.start();
    } catch (IOException e) {
      throw new IOException(
          "there is no Python that can be started as '"
              + python
              + "'; install Python 3 with torch and numpy, or name it with --python",
          e);
    }
  }

  private static String follow(Process process, Path log, Consumer<String> progress)
      throws IOException, InterruptedException {
    String[] last = {""};
    PrintedLines.follow(
        process,
        log,
        line -> {
          if (line.startsWith(PROGRESS)) {
            progress.accept(line.substring(PROGRESS.length()));
          } else if (!line.isBlank()) {
            last[0] = line.strip();
          }
        });
    return last[0];
  }

  private String failure(int code, String last) {
    if (code == MODULE_MISSING && last.startsWith("missing: ")) {
      String module = last.substring("missing: ".length());
      return String.format(
          "'%s' has no %s; get it with '%s -m pip install torch numpy' or Debian's python3-torch, or name another Python with --python",
          python, module, python);
    }
    return "Python failed with the exit code "
        + code
        + ": "
        + (last.isEmpty() ? "it said nothing" : last);
  }
}
