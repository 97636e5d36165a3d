package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Ascii;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.train.CheckpointSettings;
import org.repopt4j.train.DataSettings;
import org.repopt4j.train.OptimSettings;
import org.repopt4j.train.Recipe;
import org.repopt4j.train.RunSettings;
import org.repopt4j.train.ScheduleSettings;
import org.repopt4j.train.TrainConfig;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The options that {@code train} and {@code search} share, spelled as timm's where timm has them.
 * What is not given comes from the recipe.
 */
final class TrainOptions {
  @Mixin ArchitectureOptions architecture = new ArchitectureOptions();

  @Mixin DataOptions data = new DataOptions();

  @Option(
      names = "--recipe",
      paramLabel = "NAME",
      description =
          "Where the defaults marked 'recipe' come from, see below (default: digits for the digits,"
              + " else cifar-search-one-device).")
  String recipe;

  @Option(
      names = {"-b", "--batch-size"},
      paramLabel = "N",
      description = "Images a step (default: recipe).")
  Integer batchSize;

  @Option(
      names = "--workers",
      paramLabel = "N",
      description = "Threads that prepare batches (default: ${DEFAULT-VALUE}).")
  int workers = 1;

  @Option(
      names = "--no-aug",
      description = "Train on the images as they are, without crop and flip.")
  boolean noAug;

  @Option(names = "--no-flip", description = "Crop, but do not mirror the images.")
  boolean noFlip;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Passes over the training images (default: recipe).")
  Integer epochs;

  @Mixin OptimizerOptions optimizer = new OptimizerOptions();

  @Mixin ScheduleOptions schedule = new ScheduleOptions();

  @Mixin RunOptions run = new RunOptions();

  /** How a step is made. */
  static final class OptimizerOptions {
    @Option(
        names = "--opt",
        paramLabel = "NAME",
        description =
            "sgd, adamw (exact for any scales) or adamw-official (default: ${DEFAULT-VALUE}).")
    String opt = "sgd";

    @Option(
        names = "--lr",
        paramLabel = "RATE",
        description =
            "Learning rate for a batch of 256 images; the real one is in proportion to the batch"
                + " and printed (default: recipe).")
    Double lr;

    @Option(
        names = "--momentum",
        paramLabel = "M",
        description = "SGD's momentum, Nesterov's (default: ${DEFAULT-VALUE}).")
    double momentum = 0.9;

    @Option(
        names = "--opt-betas",
        paramLabel = "B1,B2",
        description = "AdamW's decays (default: ${DEFAULT-VALUE}).")
    String betas = "0.9,0.999";

    @Option(names = "--opt-eps", paramLabel = "E", description = "AdamW's epsilon (default: 1e-8).")
    double eps = 1e-8;

    @Option(
        names = "--weight-decay",
        paramLabel = "W",
        description = "Weight decay; none for biases and normalization (default: recipe).")
    Double weightDecay;

    @Option(
        names = "--clip-grad",
        paramLabel = "NORM",
        description =
            "Largest L2 norm of the gradient, 0 for none; refused with Grad Mults (default: recipe,"
                + " 0 with Grad Mults).")
    Double clipGrad;

    @Option(
        names = "--allow-clip-with-grad-mults",
        description =
            "Clip although Grad Mults are in use, which breaks the equality with the block.")
    boolean clipWithGradMults;

    @Option(
        names = "--grad-accum-steps",
        paramLabel = "N",
        description = "Batches whose gradients make one step (default: ${DEFAULT-VALUE}).")
    int gradAccumSteps = 1;

    @Option(
        names = "--smoothing",
        paramLabel = "S",
        description = "Label smoothing (default: recipe).")
    Double smoothing;
  }

  /** How the learning rate goes. */
  static final class ScheduleOptions {
    @Option(
        names = "--sched",
        paramLabel = "CURVE",
        description = "cosine, linear, step or constant (default: ${DEFAULT-VALUE}).")
    String sched = "cosine";

    @Option(
        names = "--warmup-epochs",
        paramLabel = "N",
        description = "Epochs of linear warm-up (default: recipe).")
    Double warmupEpochs;

    @Option(
        names = "--warmup-lr",
        paramLabel = "RATE",
        description = "Where the warm-up begins, for a batch of 256 images (default: recipe).")
    Double warmupLr;

    @Option(
        names = "--min-lr",
        paramLabel = "RATE",
        description = "Where cosine ends, for a batch of 256 images (default: ${DEFAULT-VALUE}).")
    double minLr;

    @Option(
        names = "--decay-epochs",
        paramLabel = "N",
        description = "Epochs between two decays of 'step' (default: ${DEFAULT-VALUE}).")
    double decayEpochs = 30;

    @Option(
        names = "--decay-rate",
        paramLabel = "F",
        description = "Factor of a decay of 'step' (default: ${DEFAULT-VALUE}).")
    double decayRate = 0.1;
  }

  /** Where and how to compute. */
  static final class RunOptions {
    @Mixin ComputeOptions compute = new ComputeOptions();

    @Option(
        names = "--recompute",
        description =
            "Compute activations again in backward instead of keeping them: larger batches, about a"
                + " third more time.")
    boolean recompute;

    @Option(
        names = "--seed",
        paramLabel = "N",
        description = "Seed of weights, data order and augmentation (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(names = "--deterministic", description = "Ask for reproducible algorithms only.")
    boolean deterministic;

    @Option(
        names = "--model-ema-decay",
        paramLabel = "D",
        description =
            "Keep a moving average of the weights with this decay, for example 0.999 (default:"
                + " none).")
    double modelEmaDecay;

    @Option(
        names = "--eval-every",
        paramLabel = "N",
        description = "Epochs from one evaluation to the next (default: ${DEFAULT-VALUE}).")
    int evalEvery = 1;

    @Option(
        names = "--output",
        paramLabel = "DIR",
        description = "Folder of the run (default: output/ARCH-MODE/TIME).")
    Path output;
  }

  TrainConfig config(Mode mode, Path scales) {
    String images = data.data();
    Recipe defaults =
        recipe != null
            ? Recipe.named(recipe)
            : images.equals("digits") ? Recipe.DIGITS : Recipe.CIFAR_SEARCH_ONE_DEVICE;
    Architecture arch = architecture.architecture();
    int batch = or(batchSize, defaults.batchSize());
    int passes = or(epochs, defaults.epochs());
    boolean gradMults = mode == Mode.TARGET && scales != null;
    double clip = or(optimizer.clipGrad, gradMults ? 0.0 : defaults.clipGrad());
    double[] betas = Numbers.doubles("--opt-betas", optimizer.betas, 2);
    return new TrainConfig(
        arch,
        mode,
        scales,
        new DataSettings(images, data.dataDir, batch, data.valBatch(batch), workers, noAug, noFlip),
        new OptimSettings(
            rule(optimizer.opt),
            or(optimizer.lr, defaults.lr()),
            optimizer.momentum,
            betas[0],
            betas[1],
            optimizer.eps,
            or(optimizer.weightDecay, defaults.weightDecay()),
            clip,
            optimizer.clipWithGradMults,
            optimizer.gradAccumSteps,
            or(optimizer.smoothing, defaults.smoothing())),
        new ScheduleSettings(
            Choice.of("--sched", ScheduleSettings.Curve.class, schedule.sched),
            passes,
            warmup(passes, defaults),
            or(schedule.warmupLr, defaults.warmupLr()),
            schedule.minLr,
            schedule.decayEpochs,
            schedule.decayRate),
        new RunSettings(
            run.compute.device(),
            run.compute.precision(),
            run.compute.channelsLast(),
            run.recompute,
            run.compute.threads(),
            run.deterministic,
            run.seed,
            run.modelEmaDecay,
            run.evalEvery,
            run.output != null ? run.output : defaultOutput(arch, mode)));
  }

  /** A run without a folder of its own name could not be found again. */
  void checkOutput(CheckpointSettings checkpoints) {
    checkArgument(
        !checkpoints.resumes() || run.output != null,
        "--resume goes with --output, because without it every run has a new folder");
  }

  /** A recipe's warm-up that does not fit a shorter run shrinks in proportion. */
  private double warmup(int passes, Recipe defaults) {
    if (schedule.warmupEpochs != null) {
      return schedule.warmupEpochs;
    }
    double recommended = defaults.warmupEpochs();
    return recommended < passes ? recommended : recommended * passes / defaults.epochs();
  }

  private static UpdateRule rule(String name) {
    return switch (Ascii.toLowerCase(name)) {
      case "sgd" -> UpdateRule.SGD;
      case "adamw", "adamw-exact" -> UpdateRule.ADAMW_EXACT;
      case "adamw-official" -> UpdateRule.ADAMW_OFFICIAL;
      default ->
          throw new IllegalArgumentException(
              "--opt must be sgd, adamw or adamw-official, got: '" + name + "'");
    };
  }

  private static Path defaultOutput(Architecture arch, Mode mode) {
    String time =
        LocalDateTime.now(java.time.ZoneId.systemDefault())
            .format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss-SSS", Locale.ROOT));
    String name = arch.spec().replaceAll("[^A-Za-z0-9.-]+", "_");
    return Path.of("output", name + "-" + mode, time);
  }

  private static <T> T or(T given, T otherwise) {
    return given != null ? given : otherwise;
  }
}
