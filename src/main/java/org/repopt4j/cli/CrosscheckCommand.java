package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.repopt4j.crosscheck.Crosscheck;
import org.repopt4j.crosscheck.Finding;
import org.repopt4j.crosscheck.HtmlPage;
import org.repopt4j.crosscheck.OfficialRepository;
import org.repopt4j.crosscheck.PythonSide;
import org.repopt4j.crosscheck.Summary;
import org.repopt4j.crosscheck.Verdict;
import org.repopt4j.io.AtomicFile;
import org.repopt4j.runtime.Natives;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code repopt crosscheck}: this library against the official Python code, on this machine. */
@Command(
    name = "crosscheck",
    description =
        "Compares this library with your clone of the official Python code, number by number.",
    mixinStandardHelpOptions = true)
final class CrosscheckCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--official",
      required = true,
      paramLabel = "DIR",
      description = "A clone of https://github.com/DingXiaoH/RepOptimizers.")
  private Path official;

  @Option(
      names = "--python",
      paramLabel = "PROGRAM",
      description = "A Python 3 with torch and numpy (default: ${DEFAULT-VALUE}).")
  private String python = "python3";

  @Option(
      names = "--cases",
      paramLabel = "N",
      description = "Random cases (default: ${DEFAULT-VALUE}); whole networks are added to them.")
  private int cases = 36;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the random cases (default: ${DEFAULT-VALUE}).")
  private int seed;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      description = "Folder for crosscheck.html and crosscheck.json (default: ${DEFAULT-VALUE}).")
  private Path output = Path.of("crosscheck");

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "Threads of one operator, on both sides (default: ${DEFAULT-VALUE}; more do not help such small networks).")
  private int threads = 1;

  @Option(
      names = "--python-timeout",
      paramLabel = "SECONDS",
      description = "How long Python may take for one case (default: ${DEFAULT-VALUE}).")
  private int timeout = 600;

  @Option(names = "--json", description = "Print JSON instead of a table.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    checkArgument(cases >= 1 && cases <= 10_000, "--cases must be from 1 to 10000, got: %s", cases);
    checkArgument(seed >= 0, "--seed must be at least 0, got: %s", seed);
    checkArgument(threads >= 1, "--threads must be at least 1, got: %s", threads);
    checkArgument(timeout >= 1, "--python-timeout must be at least 1, got: %s", timeout);
    checkOutput();
    OfficialRepository repository = new OfficialRepository(official);
    PythonSide side =
        new PythonSide(
            python, PythonSide.findScript(), cases, seed, threads, Duration.ofSeconds(timeout));
    try (TemporaryFolder temporary = TemporaryFolder.create("repopt-crosscheck")) {
      Path results = temporary.path();
      long begin = System.nanoTime();
      Path log = results.resolve("python.log");
      try {
        side.run(repository, results, log, progress("python"));
      } catch (IOException e) {
        throw withLog(e, log);
      }
      long middle = System.nanoTime();
      Crosscheck check = compare(results);
      Map<String, Object> facts = facts(check, middle - begin, System.nanoTime() - middle);
      write(check, facts);
      print(check, facts);
      return check.holds() ? Failures.OK : Failures.CHECK_FAILED;
    }
  }

  /** Now, because the work takes minutes. The folder need not be there, one above it does. */
  private void checkOutput() {
    Path folder = output.toAbsolutePath().normalize();
    while (folder.getParent() != null && !Files.exists(folder)) {
      folder = folder.getParent();
    }
    checkArgument(
        Files.isDirectory(folder) && Files.isWritable(folder),
        "--output must be a folder that can be written to, got: %s",
        output);
  }

  private Crosscheck compare(Path results) throws IOException {
    int before = Natives.threads();
    Natives.threads(threads);
    try {
      return Crosscheck.run(results, official, progress("java"));
    } finally {
      Natives.threads(before);
    }
  }

  private Consumer<String> progress(String side) {
    PrintWriter err = spec.commandLine().getErr();
    boolean over = Terminal.isInteractive();
    return subject -> {
      err.print(over ? String.format("\r%-6s %-14s", side, subject) : side + " " + subject + "\n");
      err.flush();
    };
  }

  private IOException withLog(IOException error, Path log) throws IOException {
    boolean verbose = spec.root().userObject() instanceof Main main && main.isVerbose();
    if (!verbose || !Files.exists(log) || Files.size(log) == 0) {
      return error;
    }
    Path kept = Files.createTempFile("repopt-crosscheck-python", ".log");
    Files.copy(log, kept, StandardCopyOption.REPLACE_EXISTING);
    return new IOException(error.getMessage() + " (all that Python printed: " + kept + ")", error);
  }

  private static Map<String, Object> facts(Crosscheck check, long pythonNanos, long javaNanos) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("holds", check.holds());
    facts.put("cases", check.cases());
    facts.put("comparisons", check.findings().size());
    facts.put("seed", check.seed());
    facts.put("python", check.python());
    facts.put("torch", check.torch());
    facts.put("numpy", check.numpy());
    facts.put("python_seconds", Math.round(pythonNanos / 1e8) / 10.0);
    facts.put("java_seconds", Math.round(javaNanos / 1e8) / 10.0);
    List<Map<String, Object>> rows = new ArrayList<>();
    for (Finding finding : check.findings()) {
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("case", finding.subject());
      row.put("quantity", finding.quantity());
      row.put("detail", finding.detail());
      row.put("values", finding.difference().values());
      row.put("max_ulp", finding.difference().maxUlp() < 0 ? null : finding.difference().maxUlp());
      row.put("max_relative_difference", finite(finding.difference().relative()));
      row.put("tolerance", finite(finding.tolerance()));
      row.put("verdict", finding.verdict().toString());
      row.put("note", finding.note());
      rows.add(row);
    }
    facts.put("findings", rows);
    return facts;
  }

  /** JSON has no infinity. */
  private static Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }

  private void write(Crosscheck check, Map<String, Object> facts) throws IOException {
    Files.createDirectories(output);
    write("crosscheck.html", HtmlPage.of(check));
    write("crosscheck.json", Json.of(facts) + System.lineSeparator());
  }

  private void write(String name, String text) throws IOException {
    AtomicFile.write(output.resolve(name), AtomicFile.bytes(text.getBytes(StandardCharsets.UTF_8)));
  }

  private void print(Crosscheck check, Map<String, Object> facts) {
    if (Terminal.isInteractive()) {
      spec.commandLine().getErr().println();
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.of(facts));
      out.flush();
      return;
    }
    TextTable table =
        TextTable.of("case", "quantity", "max ulp", "max relative difference", "verdict");
    for (Summary row : Summary.of(check.findings())) {
      Finding worst = row.worst();
      table.row(
          row.subject(),
          row.quantity(),
          Summary.ulps(row.difference(), worst.verdict()),
          Summary.relative(row.difference()),
          worst.verdict());
    }
    out.print(table);
    out.println();
    Map<String, String> notes = new LinkedHashMap<>();
    for (Finding finding : check.findings()) {
      if (!finding.note().isEmpty()) {
        notes.putIfAbsent(finding.note(), finding.title());
      }
    }
    notes.forEach((note, title) -> out.printf("%s: %s%n", title, note));
    out.printf(
        "%n%d cases, %d comparisons: %d bit-equal, %d agree, %d differ on purpose, %d depart.%n",
        check.cases(),
        check.findings().size(),
        count(check, Verdict.BIT_EQUAL),
        count(check, Verdict.AGREES),
        count(check, Verdict.ON_PURPOSE),
        count(check, Verdict.DEPARTS));
    out.printf(
        "Python %s s, Java %s s. All cases and tolerances: %s%n",
        facts.get("python_seconds"), facts.get("java_seconds"), output.resolve("crosscheck.html"));
    out.flush();
  }

  private static long count(Crosscheck check, Verdict verdict) {
    return check.findings().stream().filter(f -> f.verdict() == verdict).count();
  }
}
