package org.repopt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.repopt4j.testkit.JavaProcess;

/** The clone and Python are stand-ins, but for the last test. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the stand-ins for Python are shell scripts")
class CrosscheckCommandTest {
  private static final List<String> FILES =
      List.of(
          "repoptimizer/repoptvgg_model.py",
          "repoptimizer/repoptvgg_impl.py",
          "repoptimizer/repoptghostnet_model.py",
          "repoptimizer/repoptghostnet_impl.py",
          "repoptimizer/repoptimizer_sgd.py",
          "repoptimizer/repoptimizer_adamw.py",
          "repoptimizer/repoptimizer_utils.py",
          "scale_layer.py",
          "se_block.py",
          "optimizer.py",
          "lr_scheduler.py",
          "check_equivalency.py",
          "check_equivalency_repghost.py",
          "RepOpt-VGG-B1-scales.pth",
          "RepOpt-VGG-B2-scales.pth",
          "RepOpt-VGG-L1-scales.pth",
          "RepOpt-VGG-L2-scales.pth",
          "RepOptGhostNet_0_5x_scales.pth");

  @TempDir Path folder;
  private Path clone;
  private Path output;

  @BeforeEach
  void standInForTheClone() throws IOException {
    clone = folder.resolve("clone");
    output = folder.resolve("report");
    Files.createDirectories(clone.resolve("repoptimizer"));
    for (String file : FILES) {
      Files.createFile(clone.resolve(file));
    }
  }

  private String python(String... lines) throws IOException {
    Path script = folder.resolve("python");
    Files.writeString(script, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
    assertTrue(script.toFile().setExecutable(true));
    return script.toString();
  }

  private CapturedRun run(String... more) {
    List<String> args =
        new ArrayList<>(
            List.of("crosscheck", "--official", clone.toString(), "--output", output.toString()));
    args.addAll(List.of(more));
    return CapturedRun.of(args);
  }

  private void assertRefused(CapturedRun run, String... parts) {
    assertEquals(2, run.code(), run::toString);
    assertEquals("", run.out());
    assertFalse(run.err().contains("\tat "), run::toString);
    for (String part : parts) {
      assertTrue(run.err().contains(part), () -> "no '" + part + "' in " + run);
    }
    assertFalse(Files.exists(output), "nothing is written");
  }

  @Test
  void optionsOutOfRangeAreRefused() {
    assertRefused(run("--cases", "0"), "--cases", "0");
    assertRefused(run("--seed", "-1"), "--seed", "-1");
    assertRefused(run("--threads", "0"), "--threads", "0");
    assertRefused(CapturedRun.of("crosscheck"), "--official");
  }

  @Test
  void anOutputThatIsNoFolderIsRefusedBeforeTheWork() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "precious");
    CapturedRun run =
        CapturedRun.of(
            List.of("crosscheck", "--official", clone.toString(), "--output", file.toString()));
    assertRefused(run, "--output must be a folder that can be written to, got: " + file);
    Path below = file.resolve("new").resolve("report");
    run =
        CapturedRun.of(
            List.of("crosscheck", "--official", clone.toString(), "--output", below.toString()));
    assertRefused(run, "--output must be a folder that can be written to, got: " + below);
    assertEquals("precious", Files.readString(file));
  }

  @Test
  void aCloneThatIsNoneIsRefused() throws IOException {
    Files.delete(clone.resolve("lr_scheduler.py"));
    assertRefused(run(), clone.toString(), "not a whole clone", "it has no lr_scheduler.py");
    clone = folder.resolve("absent");
    assertRefused(run(), clone.toString(), "is not a folder");
  }

  @Test
  void aPythonThatIsNotThereIsRefused() {
    assertRefused(run("--python", "no-such-python"), "no Python", "'no-such-python'", "--python");
  }

  @Test
  void aPythonWithoutTorchIsToldHowToGetIt() throws IOException {
    String python = python("echo 'missing: torch' >&2", "exit 3");
    assertRefused(run("--python", python), "has no torch", "pip install torch numpy", "--python");
  }

  @Test
  void aPythonThatFailsIsQuotedWithItsLastLine() throws IOException {
    String python = python("echo Traceback >&2", "echo 'ValueError: 3 is not 4' >&2", "exit 1");
    CapturedRun plain = run("--python", python);
    assertRefused(plain, "exit code 1", "ValueError: 3 is not 4");
    assertFalse(plain.err().contains("Traceback"), plain::toString);
    CapturedRun verbose = run("--verbose", "--python", python);
    String mark = "all that Python printed: ";
    int at = verbose.err().indexOf(mark);
    assertTrue(at >= 0, verbose::toString);
    Path log = Path.of(verbose.err().substring(at + mark.length(), verbose.err().indexOf(')', at)));
    assertEquals(List.of("Traceback", "ValueError: 3 is not 4"), Files.readAllLines(log));
    Files.delete(log);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          true | Python ended without leaving results
          echo '{' > "$out/manifest.json" | results that cannot be read
          echo '' > "$out/manifest.json" | no cases, so there is nothing to compare
          echo '{"cases":[]}' > "$out/manifest.json" | no cases, so there is nothing to compare
          echo '{"cases":[{"id":3}]}' > "$out/manifest.json" | a case without id or kind
          """)
  void aPythonThatLeavesNothingToCompareIsNoSuccess(String last, String sentence)
      throws IOException {
    String python =
        python("for a in \"$@\"; do case $a in --output=*) out=${a#--output=} ;; esac; done", last);
    assertRefused(run("--python", python), sentence);
    assertFalse(Files.exists(output));
  }

  @Test
  @Timeout(60)
  void aPythonThatHangsIsStoppedWithAllThatItStarted() throws IOException {
    Path child = folder.resolve("child");
    String python =
        python("echo 'python: vgg-07' >&2", "sleep 50 &", "echo $! > " + child, "wait; wait");
    assertRefused(run("--python", python, "--python-timeout", "0"), "--python-timeout", "0");
    assertRefused(
        run("--python", python, "--python-timeout", "2"),
        "came no further than vgg-07 in 2 seconds",
        "--python-timeout");
    assertEnds(child);
  }

  /** A process that has left its parents holds what Python printed into, silently or not. */
  @ParameterizedTest
  @CsvSource({
    "true, exec sleep 50",
    "false, exec sleep 50",
    "false, while sleep 0.01; do echo left; done"
  })
  @Timeout(30)
  void whatPythonLeavesBehindIsNotWaitedFor(boolean hangs, String does) throws IOException {
    Path pid = folder.resolve("left");
    String python =
        python(
            "(sh -c 'echo $$ > " + pid + "; " + does + "' &)",
            "while [ ! -s " + pid + " ]; do sleep 0.01; done",
            "echo 'python: vgg-03'",
            hangs ? "sleep 50" : "exit 4");
    try {
      assertRefused(
          run("--python", python, "--python-timeout", "2"),
          hangs ? "came no further than vgg-03 in 2 seconds" : "the exit code 4: ");
      assertTrue(left(pid).isAlive());
    } finally {
      left(pid).destroyForcibly();
    }
  }

  private static ProcessHandle left(Path pid) throws IOException {
    return ProcessHandle.of(Long.parseLong(Files.readString(pid).strip())).orElseThrow();
  }

  private static void assertEnds(Path pid) throws IOException {
    long child = Long.parseLong(Files.readString(pid).strip());
    ProcessHandle.of(child).ifPresent(left -> left.onExit().join());
  }

  /** A stand-in for Python that hands over kept results. */
  private String keptResults() throws IOException {
    Path kept = Path.of("tests/resources/org/repopt4j/crosscheck").toAbsolutePath();
    return python(
        "for a in \"$@\"; do case $a in --output=*) out=${a#--output=} ;; esac; done",
        "echo 'python: vgg-01' >&2",
        "cp '" + kept + "'/* \"$out\"");
  }

  @Test
  @Timeout(60)
  void aSignalLeavesNeitherPythonNorFilesBehind() throws Exception {
    Path pid = folder.resolve("pid");
    Path child = folder.resolve("child");
    String python =
        python(
            "sleep 50 &",
            "echo $! > " + child,
            "echo $$ > " + pid + ".new",
            "mv " + pid + ".new " + pid,
            "wait");
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    Process process =
        JavaProcess.of(
                List.of("-Djava.io.tmpdir=" + temporary, "-Drepopt.home=" + home()),
                Main.class,
                "crosscheck",
                "--official=" + clone,
                "--output=" + output,
                "--python=" + python)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("out").toFile())
            .start();
    while (!Files.exists(pid) && process.isAlive()) {
      Thread.sleep(20);
    }
    assertTrue(Files.exists(pid), () -> contents(folder.resolve("out")));
    process.destroy();
    assertEquals(143, process.waitFor());
    assertEnds(pid);
    assertEnds(child);
    try (Stream<Path> left = Files.list(temporary)) {
      assertEquals(
          List.of(), left.filter(p -> p.toString().contains("repopt-crosscheck")).toList());
    }
    assertFalse(Files.exists(output));
  }

  private Path home() throws IOException {
    Path script = folder.resolve("home/crosscheck/official_side.py");
    Files.createDirectories(script.getParent());
    Files.createFile(script);
    return folder.resolve("home");
  }

  private static String contents(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Test
  void resultsThatAgreeMakeATableAPageAndAnObject() throws IOException {
    CapturedRun run = run("--python", keptResults());
    assertEquals(0, run.code(), run::toString);
    for (String part :
        List.of("Grad Mults", "bit-equal", "differs on purpose", "7 cases", "0 depart")) {
      assertTrue(run.out().contains(part), () -> "no '" + part + "' in " + run);
    }
    assertTrue(run.err().contains("vgg-01"), "progress");
    assertTrue(Files.readString(output.resolve("crosscheck.html")).contains("Nothing departs."));
    JsonNode json = new ObjectMapper().readTree(output.resolve("crosscheck.json").toFile());
    assertTrue(json.get("holds").asBoolean());
    assertEquals(json.get("comparisons").asInt(), json.get("findings").size());
  }

  @Test
  void resultsThatDepartMakeTheExitCodeOneAndAnObjectOnRequest() throws IOException {
    String python = keptResults();
    Files.writeString(
        Path.of(python),
        "\nsed 's/\"momentum\":0.[0-9]*/\"momentum\":0.123/' \"$out/manifest.json\" > \"$out/m\" && mv \"$out/m\" \"$out/manifest.json\"\n",
        StandardOpenOption.APPEND);
    CapturedRun run = run("--json", "--python", python);
    assertEquals(1, run.code(), run::toString);
    assertFalse(run.json().get("holds").asBoolean(), run::toString);
    assertTrue(run.out().contains("DEPARTS"), run::toString);
    assertTrue(Files.readString(output.resolve("crosscheck.html")).contains("comparisons depart."));
  }

  @Test
  void theOfficialCloneAgrees() throws IOException {
    String official = System.getenv("REPOPT_OFFICIAL");
    assumeTrue(official != null, "needs a clone of the official repository (set REPOPT_OFFICIAL)");
    clone = Path.of(official);
    String python = System.getenv().getOrDefault("REPOPT_PYTHON", "/usr/bin/python3");
    CapturedRun run = run("--python", python, "--cases", "6", "--seed", "11");
    assertEquals(0, run.code(), run::toString);
    for (String part :
        List.of("Grad Mults of the released scales", "check_equivalency_repghost.py")) {
      assertTrue(run.out().contains(part), () -> "no '" + part + "' in " + run);
    }
    try (Stream<Path> files = Files.walk(clone)) {
      assertEquals(
          0,
          files.filter(f -> f.toString().endsWith(".pyc")).count(),
          "the clone is left as it was");
    }
  }
}
