package org.repopt4j.bench;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import org.repopt4j.bench.BenchSettings.What;
import org.repopt4j.nn.Scales;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.CudaMemory;
import org.repopt4j.runtime.NativeErrors;
import org.repopt4j.runtime.Natives;

/** The largest batch whose training step fits into the memory of a CUDA device. */
public final class LargestBatch {
  /** The first one has no momentum yet. */
  private static final int STEPS = 2;

  private static final int SMALLEST = 2;

  private final BenchSettings settings;
  private final Optional<Scales> scales;
  private final BenchListener listener;
  private final BooleanSupplier stop;

  /**
   * What one batch came to.
   *
   * @param batchSize images
   * @param failure why it did not fit, empty if it did
   * @param peak the most memory in use at once; of what did not fit, before it failed
   */
  public record Try(int batchSize, Optional<String> failure, Optional<CudaMemory.Peak> peak) {}

  /**
   * What the search came to. Immutable.
   *
   * @param settings what was asked for; the batch size has no part in it
   * @param device the device and why it is that one
   * @param batchSize the largest batch that fits; empty if not even {@value LargestBatch#SMALLEST}
   *     images do, or if the search was stopped
   * @param tries all batches that were tried, in order
   */
  public record Report(
      BenchSettings settings, String device, OptionalInt batchSize, List<Try> tries) {
    /** Copies the list. */
    public Report {
      tries = ImmutableList.copyOf(tries);
    }
  }

  private static final class StoppedException extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  /**
   * A search to be made.
   *
   * @param stop asked before each try; true ends the search without a result
   * @throws IllegalArgumentException if the step is not one of training
   */
  public LargestBatch(
      BenchSettings settings,
      Optional<Scales> scales,
      BenchListener listener,
      BooleanSupplier stop) {
    checkArgument(
        settings.what() == What.TRAIN, "--find-batch is for training steps; use --what train");
    this.settings = settings;
    this.scales = scales;
    this.listener = listener;
    this.stop = stop;
  }

  /**
   * Searches. Memory that is used up is no error here, and the process stays usable.
   *
   * @throws IllegalArgumentException if the device is a CPU
   */
  public Report run() {
    ComputeDevice device = Benchmark.prepare(settings);
    checkArgument(
        device.isCuda(),
        "--find-batch needs a CUDA device, and the device is %s (%s): a system swaps, or ends the"
            + " process, before a step fails for want of memory",
        device,
        device.reason());
    // Every try is of other shapes. With either choice cuDNN passes over what does not fit.
    Natives.autotune(false);
    String where = device + " (" + device.reason() + ")";
    listener.started(settings, where);
    Subject subject = Subject.build(settings, device, scales);
    RepOptimizer optimizer = subject.optimizer(settings.opt(), settings.engine());
    List<Try> tries = new ArrayList<>();
    OptionalInt largest;
    try {
      largest =
          BatchSearch.largest(
              SMALLEST,
              BenchSettings.LARGEST_BATCH,
              images -> {
                if (stop.getAsBoolean()) {
                  throw new StoppedException();
                }
                tries.add(attempt(subject, optimizer, images));
                listener.progress("batch of " + images, tries.size(), tries.size());
                return tries.get(tries.size() - 1).failure().isEmpty();
              });
    } catch (StoppedException e) {
      largest = OptionalInt.empty();
    }
    return new Report(settings, where, largest, tries);
  }

  private Try attempt(Subject subject, RepOptimizer optimizer, int images) {
    CudaMemory.giveBack(subject.device());
    CudaMemory.resetPeak(subject.device());
    Optional<String> failure = failure(subject, optimizer, images);
    Try result = new Try(images, failure, CudaMemory.peak(subject.device()));
    CudaMemory.giveBack(subject.device());
    return result;
  }

  private Optional<String> failure(Subject subject, RepOptimizer optimizer, int images) {
    TrainingStep step = null;
    try {
      step = new TrainingStep(settings.withBatchSize(images), subject, optimizer);
      for (int n = 0; n < STEPS; n++) {
        step.run();
      }
      return Optional.empty();
    } catch (RuntimeException | Error e) {
      if (!NativeErrors.isOutOfMemory(e)) {
        throw e;
      }
      return Optional.of(NativeErrors.sentence(e));
    } finally {
      if (step != null) {
        step.close();
      }
    }
  }
}
