package org.repopt4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.GradMults;
import org.repopt4j.data.DataSets;
import org.repopt4j.data.Split;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Equivalence;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.nn.Scales;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.ProcessMemory;
import org.repopt4j.search.HyperSearch;
import org.repopt4j.train.Session;
import org.repopt4j.train.TrainConfig;
import org.repopt4j.train.TrainResult;
import org.repopt4j.train.Trainer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code repopt demo}: the whole idea in a few minutes. */
@Command(
    name = "demo",
    description = {
      "Searches scales, then trains four networks from equal starts and compares them in a table.",
      "The four: the plain network with a RepOptimizer, the CSLA blocks that it stands for, the plain network "
          + "with an ordinary optimizer, and RepVGG."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class DemoCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private TrainOptions options = new TrainOptions();

  @Option(names = "--json", description = "Print the table as JSON.")
  private boolean json;

  private record Row(String name, long parameters, TrainResult result, OptionalLong peak) {}

  @Override
  public Integer call() throws IOException {
    TrainConfig search = options.config(Mode.HS, null);
    Path folder = search.run().output();
    Path file = folder.resolve("search").resolve(HyperSearch.FILE);
    TrainConfig compared = options.config(Mode.TARGET, file); // Refuses what Grad Mults forbid.
    StopSignals signals = StopSignals.install();
    PrintWriter err = spec.commandLine().getErr();

    HyperSearch.Result found =
        HyperSearch.run(
            search.withOutput(folder.resolve("search")),
            new ProgressPrinter(err, "1/5 hyper-search (trainable scales)"),
            signals);
    List<Row> rows = new ArrayList<>();
    if (!signals.getAsBoolean()) {
      runAll(compared, folder, found.scales(), signals, rows);
    }
    print(rows, folder);
    return signals.exitCode().orElse(Failures.OK);
  }

  private void runAll(
      TrainConfig compared, Path folder, Scales scales, StopSignals signals, List<Row> rows)
      throws IOException {
    Split data = DataSets.open(compared.data().data(), compared.data().dataDir());
    Architecture arch = compared.arch();
    int classes = data.train().classes();
    long seed = compared.run().seed();

    Network csla = csla(arch, classes, scales, seed);
    Network target = Equivalence.cslaToTarget(csla);
    Network plain = Equivalence.cslaToTarget(csla);
    Network repvgg = arch.build(Mode.MULTI_BRANCH, classes);
    copyKernels(csla, repvgg);

    GradMults mults = target.gradMults(scales);
    String[] titles = {"RepOptimizer", "CSLA block", "plain SGD", "RepVGG"};
    Network[] networks = {target, csla, plain, repvgg};
    Mode[] modes = {Mode.TARGET, Mode.CSLA, Mode.TARGET, Mode.MULTI_BRANCH};
    for (int i = 0; i < networks.length && !signals.getAsBoolean(); i++) {
      TrainConfig config =
          like(compared, modes[i], i < 2 ? compared.scales() : null)
              .withOutput(folder.resolve(titles[i].toLowerCase(Locale.ROOT).replace(' ', '-')));
      ProcessMemory.resetPeak();
      Session session = Session.of(config, data, networks[i], i == 0 ? mults : GradMults.none());
      ProgressPrinter printer =
          new ProgressPrinter(
              spec.commandLine().getErr(), (i + 2) + "/5 " + titles[i] + " (" + modes[i] + ")");
      TrainResult result = new Trainer(config, session, printer, signals).run();
      long parameters =
          networks[i].namedParameters().values().stream()
              .filter(Tensor::requires_grad)
              .mapToLong(Tensor::numel)
              .sum();
      rows.add(new Row(titles[i], parameters, result, ProcessMemory.peakResident()));
    }
  }

  /** The same settings for another network, so that nothing but the network differs. */
  private static TrainConfig like(TrainConfig config, Mode mode, Path scales) {
    return new TrainConfig(
        config.arch(),
        mode,
        scales,
        config.data(),
        config.optim(),
        config.schedule(),
        config.run());
  }

  private static Network csla(Architecture arch, int classes, Scales scales, long seed) {
    Natives.manualSeed(seed);
    Network csla = arch.build(Mode.CSLA, classes);
    csla.setScales(scales);
    return csla;
  }

  /**
   * RepVGG begins with the block's own 3x3 and 1x1 kernels; its scales are the batch
   * normalizations.
   */
  private static void copyKernels(Network csla, Network repvgg) {
    Map<String, Tensor> state = new LinkedHashMap<>();
    csla.stateDict()
        .forEach(
            (name, tensor) -> state.put(name.replace(".conv.weight", ".conv_3x3.weight"), tensor));
    repvgg.loadStateDict(state, /* strict= */ false);
  }

  private void print(List<Row> rows, Path folder) {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      List<Map<String, Object>> maps = new ArrayList<>();
      for (Row row : rows) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("name", row.name());
        map.put("parameters", row.parameters());
        row.peak().ifPresent(bytes -> map.put("peak_memory_bytes", bytes));
        map.putAll(Results.map(row.result()));
        maps.add(map);
      }
      out.println(Json.of(maps));
    } else {
      TextTable table =
          TextTable.of("trained", "test accuracy", "best", "images/s", "parameters", "peak memory");
      for (Row row : rows) {
        table.row(
            row.name(),
            row.result().last() == null ? "" : Results.percent(row.result().last().evalTop1()),
            Results.percent(row.result().bestTop1()),
            row.result().last() == null
                ? ""
                : String.format(Locale.ROOT, "%,.0f", row.result().last().imagesPerSecond()),
            String.format(Locale.ROOT, "%,d", row.parameters()),
            row.peak().isPresent() ? (row.peak().getAsLong() >> 20) + " MiB" : "not known");
      }
      out.println();
      out.print(table);
      out.println();
      out.println(
          "RepOptimizer and CSLA block compute the same training, up to rounding: one convolution with Grad Mults, or a sum of");
      out.println(
          "scaled branches. Plain SGD starts equally and has no Grad Mults; RepVGG has a batch normalization a branch.");
      out.printf(
          "Scales: %s%nFiles of the runs: %s%n",
          folder.resolve("search").resolve(HyperSearch.FILE), folder);
    }
    out.flush();
  }
}
