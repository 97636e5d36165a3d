package org.repopt4j.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.repopt4j.bench.BenchReport;
import org.repopt4j.bench.BenchSettings;
import org.repopt4j.bench.LargestBatch;
import org.repopt4j.bench.Measurement;
import org.repopt4j.bench.Timing;
import org.repopt4j.bench.UpdateMemory;
import org.repopt4j.runtime.CudaMemory;

/** A measurement for machines: what {@code --json} writes. Times are in milliseconds. */
final class BenchNumbers {
  private BenchNumbers() {}

  static Map<String, Object> of(BenchReport report) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("repopt4j", new Main.Version().getVersion()[0]);
    map.put("date", report.date().toString());
    map.put("machine", report.machine());
    map.put("device", report.device());
    map.put("settings", settings(report.settings()));
    map.put("stopped", report.stopped());
    map.put("measurements", report.measurements().stream().map(BenchNumbers::measurement).toList());
    report.peakResident().ifPresent(bytes -> map.put("peak_resident_bytes", bytes));
    report.peakDevice().ifPresent(peak -> peak(map, peak));
    report.memory().ifPresent(memory -> map.put("memory", memory(memory)));
    report.limitBy().ifPresent(means -> map.put("limit_by", means));
    if (report.limitBy().isPresent() && report.measurements().size() == 3) {
      map.put("ratio_to_limit_with_dense_mask", report.timesAsLongAs(1));
      map.put("ratio_to_limit", report.timesAsLongAs(2));
    }
    return map;
  }

  static Map<String, Object> of(LargestBatch.Report report) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("repopt4j", new Main.Version().getVersion()[0]);
    map.put("device", report.device());
    Map<String, Object> settings = settings(report.settings());
    List.of("batch_size", "warmup", "repeats").forEach(settings::remove);
    map.put("settings", settings);
    map.put("largest_batch", report.batchSize().isPresent() ? report.batchSize().getAsInt() : null);
    map.put("tries", report.tries().stream().map(BenchNumbers::attempt).toList());
    return map;
  }

  private static Map<String, Object> attempt(LargestBatch.Try attempt) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("batch_size", attempt.batchSize());
    map.put("fits", attempt.failure().isEmpty());
    attempt.failure().ifPresent(sentence -> map.put("failure", sentence));
    attempt.peak().ifPresent(peak -> peak(map, peak));
    return map;
  }

  private static void peak(Map<String, Object> map, CudaMemory.Peak peak) {
    map.put("peak_device_bytes", peak.allocated());
    map.put("peak_device_reserved_bytes", peak.reserved());
  }

  private static Map<String, Object> settings(BenchSettings settings) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("what", Choice.word(settings.what()));
    map.put("arch", settings.arch().spec());
    map.put("mode", settings.mode().toString());
    map.put("num_classes", settings.numClasses());
    map.put("batch_size", settings.batchSize());
    map.put("resolution", settings.resolution());
    map.put("precision", Choice.word(settings.precision()));
    map.put("channels_last", settings.channelsLast());
    map.put("recompute", settings.recompute());
    map.put("device", settings.device());
    map.put("threads", settings.threads());
    map.put("opt", Choice.word(settings.opt()));
    map.put("engine", settings.engine().map(Choice::word).orElse("default"));
    map.put("warmup", settings.warmup());
    map.put("repeats", settings.repeats());
    map.put("seed", settings.seed());
    return map;
  }

  private static Map<String, Object> measurement(Measurement measured) {
    Timing timing = measured.timing();
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("name", measured.name());
    map.put("median", timing.median());
    map.put("lower_quartile", timing.lowerQuartile());
    map.put("upper_quartile", timing.upperQuartile());
    map.put("fastest", timing.fastest());
    map.put("slowest", timing.slowest());
    if (measured.images() > 0) {
      map.put("images_per_second", measured.imagesPerSecond());
    }
    if (measured.bytes() > 0) {
      map.put("bytes", measured.bytes());
      map.put("gigabytes_per_second", measured.gigabytesPerSecond());
    }
    if (measured.handles() >= 0) {
      map.put("native_objects", measured.handles());
    }
    map.put("native_objects_left", measured.handlesLeft());
    map.put("milliseconds", List.copyOf(timing.milliseconds()));
    return map;
  }

  private static Map<String, Object> memory(UpdateMemory memory) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("weight_bytes", memory.weightBytes());
    map.put("state_bytes", memory.stateBytes());
    map.put("grad_mult_bytes", memory.gradMultBytes());
    map.put("grad_mult_share", memory.gradMultShare());
    map.put("dense_mask_bytes", memory.denseMaskBytes());
    map.put("dense_mask_share", memory.denseMaskShare());
    return map;
  }
}
