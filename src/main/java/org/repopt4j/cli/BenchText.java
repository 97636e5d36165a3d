package org.repopt4j.cli;

import java.util.Locale;
import org.repopt4j.bench.BenchReport;
import org.repopt4j.bench.BenchSettings;
import org.repopt4j.bench.BenchSettings.What;
import org.repopt4j.bench.LargestBatch;
import org.repopt4j.bench.Measurement;
import org.repopt4j.bench.Timing;
import org.repopt4j.bench.UpdateMemory;
import org.repopt4j.runtime.CudaMemory;

/** A measurement for people. */
final class BenchText {
  private BenchText() {}

  /** What is measured, in a line. */
  static String title(BenchSettings settings) {
    String images =
        settings.what() == What.UPDATE
            ? ""
            : String.format(
                    Locale.ROOT,
                    ", %d images of %dx%d, %s",
                    settings.batchSize(),
                    settings.resolution(),
                    settings.resolution(),
                    Choice.word(settings.precision()))
                + (settings.recompute() ? ", recomputing" : "");
    String update =
        settings.what() == What.INFERENCE
            ? ""
            : ", "
                + Choice.word(settings.opt())
                + settings.engine().map(engine -> " by " + Choice.word(engine)).orElse("");
    return settings.arch()
        + " "
        + settings.mode()
        + ": "
        + Choice.word(settings.what())
        + images
        + update;
  }

  static String of(BenchReport report) {
    if (report.measurements().isEmpty()) {
      return "Stopped before the first measured run." + System.lineSeparator();
    }
    StringBuilder text = new StringBuilder(table(report));
    line(
        text,
        "device %s, %s threads, %s",
        report.device(),
        fact(report, "threads"),
        fact(report, "cpu"));
    report
        .peakResident()
        .ifPresent(bytes -> line(text, "most resident memory %s", mebibytes(bytes)));
    report.peakDevice().ifPresent(peak -> line(text, "%s", deviceMemory(peak)));
    Measurement step = report.measurements().get(0);
    if (step.handles() >= 0) {
      line(text, "native objects at the end of a step: %d", step.handles());
    }
    line(text, "native objects left behind by all steps: %d", step.handlesLeft());
    report.memory().ifPresent(memory -> memory(text, report, memory));
    if (report.stopped()) {
      line(
          text,
          "stopped after %d of %d runs",
          step.timing().milliseconds().size(),
          report.settings().repeats());
    }
    return text.toString();
  }

  static String of(LargestBatch.Report report) {
    TextTable table = TextTable.of("batch", "fits", "most device memory");
    for (LargestBatch.Try one : report.tries()) {
      table.row(
          one.batchSize(),
          one.failure().isEmpty() ? "yes" : "no",
          one.peak().map(peak -> mebibytes(peak.allocated())).orElse("not known"));
    }
    StringBuilder text = new StringBuilder(table.toString());
    line(text, "device %s", report.device());
    if (report.batchSize().isPresent()) {
      line(text, "the largest batch that fits: %d", report.batchSize().getAsInt());
    } else {
      line(text, "no batch was found to fit");
    }
    return text.toString();
  }

  /** Also for a run's end. */
  static String deviceMemory(CudaMemory.Peak peak) {
    return "most device memory "
        + mebibytes(peak.allocated())
        + " in tensors, "
        + mebibytes(peak.reserved())
        + " reserved";
  }

  private static String table(BenchReport report) {
    boolean images = report.settings().what() != What.UPDATE;
    TextTable table =
        TextTable.of(
            "step",
            "median ms",
            "quartiles ms",
            "fastest ms",
            images ? "images/s" : "GB/s",
            "ratio");
    for (Measurement measured : report.measurements()) {
      Timing timing = measured.timing();
      table.row(
          measured.name(),
          number(timing.median()),
          number(timing.lowerQuartile()) + " - " + number(timing.upperQuartile()),
          number(timing.fastest()),
          number(images ? measured.imagesPerSecond() : measured.gigabytesPerSecond()),
          String.format(
              Locale.ROOT,
              "%.3f",
              timing.median() / report.measurements().get(0).timing().median()));
    }
    return table.toString();
  }

  private static void memory(StringBuilder text, BenchReport report, UpdateMemory memory) {
    for (int i = 1; i < report.measurements().size(); i++) {
      line(
          text,
          "the update takes %.3f times the read-modify-write %s",
          report.timesAsLongAs(i),
          report.measurements().get(i).name());
    }
    line(text, "limit by %s", report.limitBy().orElse("nothing"));
    line(
        text,
        "weights %s, state %s, Grad Mults %s (%.3f %% of the weights; dense masks would be %.1f"
            + " %%)",
        mebibytes(memory.weightBytes()),
        mebibytes(memory.stateBytes()),
        mebibytes(memory.gradMultBytes()),
        100 * memory.gradMultShare(),
        100 * memory.denseMaskShare());
  }

  private static Object fact(BenchReport report, String name) {
    return report.machine().get(name);
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values)).append(System.lineSeparator());
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value < 100 ? "%.2f" : "%.1f", value);
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
  }
}
