package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code repopt models}: the catalog. */
@Command(
    name = "models",
    description = "Lists the architectures with their parameters and multiply-adds.",
    mixinStandardHelpOptions = true)
final class ModelsCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private ArchitectureOptions architecture = new ArchitectureOptions();

  @Option(
      names = "--num-classes",
      paramLabel = "N",
      description = "Classes (default: ${DEFAULT-VALUE}).")
  private int numClasses = 1000;

  @Option(
      names = "--image-size",
      paramLabel = "N",
      description = "Height and width of the images (default: ${DEFAULT-VALUE}).")
  private int imageSize = 224;

  @Option(names = "--json", description = "Print JSON instead of a table.")
  private boolean json;

  @Override
  public Integer call() {
    checkArgument(
        numClasses >= 1 && numClasses <= 1 << 20,
        "--num-classes must be from 1 to 1048576, got: %s",
        numClasses);
    checkArgument(
        imageSize >= 1 && imageSize <= 1 << 14,
        "--image-size must be from 1 to 16384, got: %s",
        imageSize);
    List<Architecture> shown =
        architecture.given()
            ? List.of(architecture.architecture())
            : Architecture.names().stream().map(Architecture::named).toList();
    PrintWriter out = spec.commandLine().getOut();
    TextTable table =
        TextTable.of("architecture", "target", "csla", "multi-branch", "multiply-adds (target)");
    List<Map<String, Object>> rows = new ArrayList<>();
    for (Architecture arch : shown) {
      long target = arch.parameters(Mode.TARGET, numClasses);
      long csla = arch.parameters(Mode.CSLA, numClasses);
      long branched = arch.parameters(Mode.MULTI_BRANCH, numClasses);
      long macs = arch.multiplyAdds(Mode.TARGET, numClasses, imageSize);
      table.row(
          arch,
          millions(target),
          millions(csla),
          millions(branched),
          String.format(Locale.ROOT, "%.3f G", macs / 1e9));
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("architecture", arch.spec());
      row.put("parameters_target", target);
      row.put("parameters_csla", csla);
      row.put("parameters_multi_branch", branched);
      row.put("multiply_adds_target", macs);
      rows.add(row);
    }
    if (json) {
      out.println(Json.of(rows));
    } else {
      out.print(table);
      out.printf(
          "Trainable parameters for %d classes; multiply-adds for one image of %dx%d (one FLOP count of the papers).%n",
          numClasses, imageSize, imageSize);
    }
    out.flush();
    return Failures.OK;
  }

  private static String millions(long count) {
    return String.format(Locale.ROOT, "%.3f M", count / 1e6);
  }
}
