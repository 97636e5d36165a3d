package org.repopt4j.bench;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkNotNull;

import java.util.Locale;
import java.util.Optional;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.optim.Engine;
import org.repopt4j.train.RunSettings.Precision;

/**
 * Everything that decides a measurement.
 *
 * @param what which step is measured ({@code --what})
 * @param arch the architecture ({@code --arch})
 * @param mode which of its networks ({@code --mode})
 * @param numClasses logits of an image ({@code --num-classes})
 * @param batchSize images a step ({@code --batch-size})
 * @param resolution height and width of the images ({@code --resolution})
 * @param precision number format of convolutions and matrix products ({@code --precision})
 * @param channelsLast whether channels are last in the memory of images and kernels ({@code
 *     --channels-last})
 * @param recompute whether backward computes activations again ({@code --recompute})
 * @param device {@code auto}, {@code cpu}, {@code cuda} or {@code cuda:N} ({@code --device})
 * @param threads threads of one operator, 0 for all processors ({@code --threads})
 * @param opt the update of a training step ({@code --opt})
 * @param engine what carries it out, empty for what the optimizer takes by itself ({@code
 *     --engine})
 * @param warmup rounds that do not count ({@code --warmup})
 * @param repeats rounds that do ({@code --repeats})
 * @param seed of weights, scales, images and gradients ({@code --seed})
 */
public record BenchSettings(
    What what,
    Architecture arch,
    Mode mode,
    int numClasses,
    int batchSize,
    int resolution,
    Precision precision,
    boolean channelsLast,
    boolean recompute,
    String device,
    int threads,
    UpdateRule opt,
    Optional<Engine> engine,
    int warmup,
    int repeats,
    long seed) {

  /** More images at once are not measured. */
  public static final int LARGEST_BATCH = 1 << 16;

  /** Which step. */
  public enum What {
    /** Forward, loss, backward, update. */
    TRAIN,
    /** Forward in evaluation mode, without autograd. */
    INFERENCE,
    /** The optimizer's step alone, beside its read-modify-write limit. */
    UPDATE
  }

  /** Checks the settings against each other. */
  public BenchSettings {
    checkNotNull(what, "what");
    checkNotNull(arch, "arch");
    checkNotNull(mode, "mode");
    checkNotNull(precision, "precision");
    checkNotNull(device, "device");
    checkNotNull(opt, "opt");
    checkNotNull(engine, "engine");
    checkRange("--num-classes", numClasses, 1, 1 << 20);
    checkRange("--batch-size", batchSize, what == What.TRAIN ? 2 : 1, LARGEST_BATCH);
    checkRange("--resolution", resolution, 1, 1 << 14);
    checkRange("--warmup", warmup, 0, 1_000_000);
    checkRange("--repeats", repeats, 1, 1_000_000);
    checkArgument(
        threads >= 0 && threads <= 1024,
        "--threads must be from 1 to 1024, or 0 for all processors, got: %s",
        threads);
    checkArgument(
        mode != Mode.DEPLOY || what == What.INFERENCE,
        "--mode deploy has no batch normalization and cannot be trained; use --what inference, or"
            + " --mode target");
    checkArgument(
        !recompute || what == What.TRAIN,
        "--recompute is for a backward pass, which --what %s has not; use --what train",
        what.name().toLowerCase(Locale.ROOT));
  }

  /** The same with another batch. */
  BenchSettings withBatchSize(int images) {
    return new BenchSettings(
        what,
        arch,
        mode,
        numClasses,
        images,
        resolution,
        precision,
        channelsLast,
        recompute,
        device,
        threads,
        opt,
        engine,
        warmup,
        repeats,
        seed);
  }

  /** Whether scales have a part in it: as Grad Mults, or as those of the blocks. */
  public boolean usesScales() {
    return mode.hasScales() || (mode == Mode.TARGET && what != What.INFERENCE);
  }

  private static void checkRange(String option, int value, int least, int most) {
    checkArgument(
        value >= least && value <= most,
        "%s must be from %s to %s, got: %s",
        option,
        least,
        most,
        value);
  }
}
