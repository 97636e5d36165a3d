package org.repopt4j.bench;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Throwables;
import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.repopt4j.bench.BenchSettings.What;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.Scales;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.CudaMemory;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.ProcessMemory;
import org.repopt4j.runtime.UpdateKernels;
import org.repopt4j.train.MemoryUsedUpException;

/** From settings to numbers. */
public final class Benchmark {
  private final BenchSettings settings;
  private final Optional<Scales> scales;
  private final BenchListener listener;
  private final BooleanSupplier stop;

  /**
   * A measurement to be made.
   *
   * @param scales of the Grad Mults, of both signs at random where none are given
   * @param stop asked after each round; true ends the measurement with what there is
   * @throws IllegalArgumentException if scales are given that would not be used
   */
  public Benchmark(
      BenchSettings settings,
      Optional<Scales> scales,
      BenchListener listener,
      BooleanSupplier stop) {
    checkArgument(
        scales.isEmpty() || settings.usesScales(),
        "scales were given, but %s does not use any",
        settings);
    this.settings = settings;
    this.scales = scales;
    this.listener = listener;
    this.stop = stop;
  }

  /**
   * Measures.
   *
   * @throws IOException if the system's own files cannot be read
   */
  public BenchReport run() throws IOException {
    Instant date = Instant.now();
    ComputeDevice device = prepare(settings);
    String where = device + " (" + device.reason() + ")";
    listener.started(settings, where);
    Map<String, Object> machine = Machine.facts();
    Subject subject = Subject.build(settings, device, scales);
    Found found = settings.what() == What.UPDATE ? update(subject) : step(subject);
    return new BenchReport(
        settings,
        date,
        machine,
        where,
        found.measurements,
        found.peak,
        found.peakDevice,
        found.memory,
        found.limitBy,
        stop.getAsBoolean());
  }

  /** Sets the process up as training does, and finds the device. */
  static ComputeDevice prepare(BenchSettings settings) {
    if (settings.threads() > 0) {
      Natives.threads(settings.threads());
    }
    ComputeDevice device = ComputeDevice.of(settings.device());
    settings.precision().apply(device);
    Natives.deterministic(false);
    return device;
  }

  private record Found(
      List<Measurement> measurements,
      OptionalLong peak,
      Optional<CudaMemory.Peak> peakDevice,
      Optional<UpdateMemory> memory,
      Optional<String> limitBy) {}

  private Found step(Subject subject) {
    try {
      return step(
          subject.device(),
          settings.what() == What.TRAIN
              ? new TrainingStep(settings, subject)
              : new InferenceStep(settings, subject));
    } catch (RuntimeException | Error e) {
      Throwable said =
          settings.what() == What.TRAIN
              ? MemoryUsedUpException.inTraining(
                  e,
                  subject.device(),
                  settings.batchSize(),
                  settings.recompute(),
                  settings.precision())
              : MemoryUsedUpException.inEvaluation(
                  e, subject.device(), "--batch-size", settings.batchSize());
      Throwables.throwIfUnchecked(said);
      throw e;
    }
  }

  private Found step(ComputeDevice device, Work work) {
    Stopwatch stopwatch =
        new Stopwatch(ImmutableList.of(work), settings.warmup(), settings.repeats());
    stopwatch.warmUp(listener, stop);
    ProcessMemory.resetPeak();
    CudaMemory.resetPeak(device);
    List<Measurement> measured = stopwatch.measure(listener, stop);
    return new Found(
        measured,
        ProcessMemory.peakResident(),
        CudaMemory.peak(device),
        Optional.empty(),
        Optional.empty());
  }

  private Found update(Subject subject) {
    UpdateStep update = new UpdateStep(settings, subject);
    UpdateMemory memory = UpdateMemory.of(subject, 0);
    long masked = memory.denseMaskBytes() / Float.BYTES;
    try (MemoryLimit limit = limit(update.rule(), update.elements(), masked)) {
      List<Work> works = ImmutableList.<Work>builder().add(update).addAll(limit.works()).build();
      Stopwatch stopwatch = new Stopwatch(works, settings.warmup(), settings.repeats());
      stopwatch.warmUp(listener, stop);
      List<Measurement> measured = stopwatch.measure(listener, stop);
      return new Found(
          measured,
          OptionalLong.empty(),
          Optional.empty(),
          Optional.of(UpdateMemory.of(subject, update.stateBytes())),
          Optional.of(limit.means()));
    }
  }

  private static MemoryLimit limit(UpdateRule rule, long elements, long masked) {
    int threads = Natives.threads();
    return UpdateKernels.instructions().isPresent()
        ? new NativeMemoryLimit(rule, elements, masked, threads)
        : new HeapMemoryLimit(rule, elements, masked, threads);
  }
}
