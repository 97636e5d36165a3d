package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkNotNull;

import java.nio.file.Path;
import java.util.Optional;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Natives;

/**
 * Where and how a run computes, and what it leaves.
 *
 * @param device {@code auto}, {@code cpu}, {@code cuda} or {@code cuda:N} ({@code --device})
 * @param precision number format of convolutions and matrix products ({@code --precision})
 * @param channelsLast whether channels are last in the memory of images and kernels ({@code
 *     --channels-last})
 * @param recompute whether backward computes activations again instead of keeping them ({@code
 *     --recompute})
 * @param threads threads of one operator, 0 for all processors ({@code --threads})
 * @param deterministic ask every backend for reproducible algorithms ({@code --deterministic})
 * @param seed of initial weights, data order and augmentation ({@code --seed})
 * @param modelEmaDecay decay of the moving average of the weights, 0 for none ({@code
 *     --model-ema-decay})
 * @param evalEvery epochs between two evaluations ({@code --eval-every})
 * @param output the run's folder ({@code --output})
 */
public record RunSettings(
    String device,
    Precision precision,
    boolean channelsLast,
    boolean recompute,
    int threads,
    boolean deterministic,
    long seed,
    double modelEmaDecay,
    int evalEvery,
    Path output) {

  /** Number formats. */
  public enum Precision {
    /** Everything in float32, on CUDA too. */
    FP32(null),
    /** Everything in float32, but CUDA's convolutions and matrix products round their inputs. */
    TF32(null),
    /** Convolutions and matrix products in bfloat16, weights and sums in float32. */
    BF16(ScalarType.BFloat16),
    /** The same in float16; training multiplies the loss by a {@link GradScaler}'s scale. */
    FP16(ScalarType.Half);

    private final ScalarType autocast;

    Precision(ScalarType autocast) {
      this.autocast = autocast;
    }

    /** The format of convolutions and matrix products where that is not float32. */
    Optional<ScalarType> autocast() {
      return Optional.ofNullable(autocast);
    }

    /**
     * Sets what holds for the whole process: whether float32 may be TF32.
     *
     * @throws IllegalArgumentException if the device has no such arithmetic
     */
    public void apply(ComputeDevice device) {
      checkArgument(
          this != TF32 || device.isCuda(),
          "--precision tf32 is an arithmetic of CUDA devices, and the device is %s (%s); use fp32,"
              + " or bf16",
          device,
          device.reason());
      Natives.tf32(this == TF32);
    }
  }

  /** Checks the numbers. */
  public RunSettings {
    checkNotNull(device, "device");
    checkNotNull(precision, "precision");
    checkNotNull(output, "output");
    checkArgument(
        threads >= 0 && threads <= 1024,
        "--threads must be from 1 to 1024, or 0 for all processors, got: %s",
        threads);
    checkArgument(
        modelEmaDecay >= 0 && modelEmaDecay < 1,
        "--model-ema-decay must be from 0 to below 1, got: %s",
        modelEmaDecay);
    checkArgument(evalEvery >= 1, "--eval-every must be at least 1, got: %s", evalEvery);
  }

  /**
   * Sets what holds for the whole process.
   *
   * @throws IllegalArgumentException if the device has no such arithmetic
   */
  void applyProcessWide(ComputeDevice device) {
    precision.apply(device);
    if (threads > 0) {
      Natives.threads(threads);
    }
    Natives.deterministic(deterministic);
  }

  /** The same in another folder. */
  public RunSettings withOutput(Path other) {
    return new RunSettings(
        device,
        precision,
        channelsLast,
        recompute,
        threads,
        deterministic,
        seed,
        modelEmaDecay,
        evalEvery,
        other);
  }
}
