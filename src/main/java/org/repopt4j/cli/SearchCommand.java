package org.repopt4j.cli;

import com.google.common.primitives.Floats;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.repopt4j.nn.BlockScales;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Scales;
import org.repopt4j.search.HyperSearch;
import org.repopt4j.train.CheckpointSettings;
import org.repopt4j.train.TrainConfig;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code repopt search}: finds the constants of a RepOptimizer. */
@Command(
    name = "search",
    description =
        "Hyper-search: trains a network with trainable scales and writes scales.safetensors.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class SearchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private TrainOptions options = new TrainOptions();

  @Mixin private CheckpointOptions checkpointOptions = new CheckpointOptions();

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    TrainConfig config = options.config(Mode.HS, null);
    CheckpointSettings checkpoints = checkpointOptions.settings();
    options.checkOutput(checkpoints);
    StopSignals signals = StopSignals.install();
    ProgressPrinter printer =
        new ProgressPrinter(spec.commandLine().getErr(), config.arch() + " hyper-search");
    HyperSearch.Result result = HyperSearch.run(config, checkpoints, printer, signals);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      Map<String, Object> map = new LinkedHashMap<>(Results.map(result.training()));
      map.put("scales", result.file().toString());
      out.println(Json.of(map));
    } else {
      out.print(summary(result.scales()));
      Results.print(out, result.training(), false);
      out.printf(
          "Scales: %s (use them with 'repopt train --mode target --scales %s')%n",
          result.file(), result.file());
    }
    out.flush();
    return signals.exitCode().orElse(Failures.OK);
  }

  /** Mean, smallest and largest scale of every branch, block by block. */
  static String summary(Scales scales) {
    TextTable table = TextTable.of("block", "branch", "channels", "mean", "min", "max", "negative");
    for (BlockScales block : scales.blocks()) {
      for (String branch : block.names()) {
        float[] values = block.values(branch);
        double sum = 0;
        int negative = 0;
        for (float value : values) {
          sum += value;
          negative += value < 0 ? 1 : 0;
        }
        table.row(
            block.block(),
            branch.replace(".weight", ""),
            values.length,
            number(sum / values.length),
            number(Floats.min(values)),
            number(Floats.max(values)),
            negative);
      }
    }
    return table.toString();
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.4f", value);
  }
}
