package org.repopt4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.repopt4j.runtime.Natives;

/**
 * Gives every file of a folder to every command that reads one: {@code HostileRuns FOLDER SCRATCH}.
 * One line a run: exit code, milliseconds, peak heap in MiB, lines of text, file, command, text.
 */
final class HostileRuns {
  private HostileRuns() {}

  public static void main(String[] args) throws IOException {
    Path scratch = Path.of(args[1]);
    Natives.load();
    List<Path> files;
    try (var listed = Files.list(Path.of(args[0]))) {
      files = listed.sorted().toList();
    }
    for (Path file : files) {
      for (List<String> command : commands(file, scratch)) {
        run(file, command);
      }
    }
  }

  private static List<List<String>> commands(Path file, Path scratch) {
    String name = file.toString();
    String out = scratch.resolve("out.safetensors").toString();
    List<List<String>> commands = new ArrayList<>();
    commands.add(List.of("eval", name, "--data", "digits"));
    commands.add(List.of("convert", name, out, "--to", "deploy"));
    commands.add(
        List.of(
            "train",
            "--arch",
            "RepOpt-VGG-tiny",
            "--data",
            "digits",
            "--epochs",
            "1",
            "--scales",
            name,
            "--output",
            scratch.resolve("run").toString()));
    if (!file.getFileName().toString().startsWith("valid-")) {
      commands.add(List.of("convert", name, out));
    } else {
      commands.add(List.of("eval", name, "--data", "digits", "--arch", "RepOpt-VGG-tiny"));
      commands.add(
          List.of(
              "convert",
              name,
              out,
              "--to",
              "deploy",
              "--arch",
              "RepOpt-VGG-tiny",
              "--mode",
              "target"));
    }
    return commands;
  }

  private static void run(Path file, List<String> command) {
    StringWriter text = new StringWriter();
    PrintWriter writer = new PrintWriter(text);
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      pool.resetPeakUsage();
    }
    long begin = System.nanoTime();
    int code;
    try {
      code =
          Main.commandLine().setOut(writer).setErr(writer).execute(command.toArray(String[]::new));
    } catch (OutOfMemoryError | StackOverflowError e) {
      code = Failures.OURS;
      writer.println(e);
    }
    double milliseconds = (System.nanoTime() - begin) / 1e6;
    double heap = 0;
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      heap += pool.getType() == MemoryType.HEAP ? pool.getPeakUsage().getUsed() / 1048576.0 : 0;
    }
    String said = text.toString();
    System.out.printf(
        Locale.ROOT,
        "%d\t%.0f\t%.0f\t%d\t%s\t%s\t%s%n",
        code,
        milliseconds,
        heap,
        said.lines().count(),
        file.getFileName(),
        command.get(0) + (command.contains("--to") ? " --to deploy" : ""),
        said.replaceAll("\\R", " ").substring(0, Math.min(300, Math.max(0, said.length() - 1))));
  }
}
