package org.repopt4j.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.io.PythonTorch;
import org.repopt4j.testkit.JavaProcess;

/**
 * Every command that reads weights refuses every file of {@code tests/crosscheck/hostile_files.py}
 * in one line, with a heap of 256 MiB. The runs, with their times, are left in {@code
 * target/hostile-files.tsv}.
 */
@Tag("slow")
class HostileFilesTest {
  @TempDir Path folder;

  @Test
  void eachIsRefusedInOneLine() throws Exception {
    Path files = Files.createDirectory(folder.resolve("files"));
    Path scratch = Files.createDirectory(folder.resolve("scratch"));
    PythonTorch.script("hostile_files.py", files);
    Path report = Path.of("target", "hostile-files.tsv");
    Process process =
        JavaProcess.of(
                List.of(
                    "-Xmx256m", "-XX:+UseSerialGC", "-Dorg.bytedeco.javacpp.maxphysicalbytes=0"),
                HostileRuns.class,
                files.toString(),
                scratch.toString())
            .redirectOutput(report.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertTrue(process.waitFor(10, TimeUnit.MINUTES), "it hangs");
    } finally {
      process.destroyForcibly();
    }
    assertEquals(0, process.exitValue(), "the process died, see " + report);
    List<String> runs = Files.readAllLines(report);
    assertTrue(runs.size() > 500, "runs: " + runs.size());
    assertAll(
        runs.stream()
            .map(
                run ->
                    () -> {
                      String[] fields = run.split("\t", -1);
                      assertEquals("2", fields[0], run);
                      assertEquals("1", fields[3], run);
                      assertTrue(fields[6].startsWith("repopt: "), run);
                      assertTrue(fields[6].chars().noneMatch(Character::isISOControl), run);
                    }));
    assertFalse(Files.exists(files.resolve("PWNED")), "a pickle was run");
    try (var left = Files.list(scratch)) {
      assertEquals(List.of(), left.toList());
    }
  }
}
