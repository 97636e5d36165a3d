package org.repopt4j.cli;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.repopt4j.train.EpochRow;
import org.repopt4j.train.TrainResult;

/** What a run came to, in words or as JSON. */
final class Results {
  private Results() {}

  static void print(PrintWriter out, TrainResult result, boolean json) {
    if (json) {
      out.println(Json.of(map(result)));
    } else if (result.last() == null || Double.isInfinite(result.bestTop1())) {
      out.printf("No epoch was finished. Files: %s%n", result.folder());
    } else {
      out.printf(
          Locale.ROOT,
          "best top-1 %.2f%%, last %s. Files: %s%n",
          100 * result.bestTop1(),
          percent(result.last().evalTop1()),
          result.folder());
    }
    if (!json) {
      result.deviceMemory().ifPresent(peak -> out.println(BenchText.deviceMemory(peak)));
    }
    out.flush();
  }

  static Map<String, Object> map(TrainResult result) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("folder", result.folder().toString());
    map.put("stopped", result.stopped());
    map.put("best_top1", number(result.bestTop1()));
    result
        .deviceMemory()
        .ifPresent(
            peak -> {
              map.put("peak_device_bytes", peak.allocated());
              map.put("peak_device_reserved_bytes", peak.reserved());
            });
    EpochRow last = result.last();
    if (last != null) {
      map.put("epochs", result.stopped() ? last.epoch() : last.epoch() + 1);
      map.put("eval_top1", number(last.evalTop1()));
      map.put("eval_top5", number(last.evalTop5()));
      map.put("eval_loss", number(last.evalLoss()));
      map.put("train_loss", number(last.trainLoss()));
      map.put("images_per_second", number(last.imagesPerSecond()));
    }
    return map;
  }

  static String percent(double share) {
    return Double.isFinite(share)
        ? String.format(Locale.ROOT, "%.2f%%", 100 * share)
        : "not measured";
  }

  /** JSON has no NaN. */
  private static Double number(double value) {
    return Double.isFinite(value) ? value : null;
  }
}
