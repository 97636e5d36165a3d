package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.common.io.ByteStreams;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Python with PyTorch ({@code REPOPT_PYTHON}, or {@code /usr/bin/python3}); tests that need it are
 * skipped where it is absent.
 */
public final class PythonTorch {
  private static final String PYTHON =
      System.getenv().getOrDefault("REPOPT_PYTHON", "/usr/bin/python3");
  private static final boolean PRESENT = isPresent();

  private PythonTorch() {}

  /** What {@code tests/crosscheck/tensor_files.py} prints, line by line. */
  public static List<String> tensorFiles(String command, Path path) throws IOException {
    return script("tensor_files.py", command, path);
  }

  /** What a script of {@code tests/crosscheck} prints, line by line. */
  public static List<String> script(String name, Object... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(PYTHON, "tests/crosscheck/" + name));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return lines(command);
  }

  /** What a few lines of Python print, line by line. */
  public static List<String> code(String code) throws IOException {
    return lines(List.of(PYTHON, "-c", code));
  }

  private static List<String> lines(List<String> command) throws IOException {
    assumeTrue(PRESENT, () -> "needs " + PYTHON + " with torch (set REPOPT_PYTHON)");
    Result result = run(command);
    assertEquals(0, result.code(), () -> "Python says: " + result.output());
    return result.output().lines().filter(line -> !line.isEmpty()).toList();
  }

  private record Result(int code, String output) {}

  private static boolean isPresent() {
    try {
      return Files.isExecutable(Path.of(PYTHON))
          && run(List.of(PYTHON, "-c", "import torch, numpy")).code() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private static Result run(List<String> command) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(command)).redirectErrorStream(true);
    builder.environment().put("PYTHONWARNINGS", "ignore");
    builder.environment().put("PYTHONUTF8", "1");
    Process process = builder.start();
    String output =
        new String(ByteStreams.toByteArray(process.getInputStream()), StandardCharsets.UTF_8);
    try {
      return new Result(process.waitFor(), output);
    } catch (InterruptedException e) {
      throw new IOException("interrupted", e);
    }
  }
}
