package org.repopt4j.cli;

import static com.google.common.base.MoreObjects.firstNonNull;
import static com.google.common.base.Preconditions.checkArgument;

import java.nio.file.Path;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.train.CheckpointSettings;
import org.repopt4j.train.DataSettings;
import org.repopt4j.train.Recipe;
import org.repopt4j.train.TrainConfig;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The options that {@code train} and {@code search} share, spelled as timm's where timm has them.
 * What is not given comes from the recipe.
 */
final class TrainOptions {
  /** Read by {@link Main} before the command runs. */
  @Option(
      names = ConfigFile.OPTION,
      paramLabel = "FILE",
      description =
          "More options, from a YAML file such as a run's args.yaml; those of the command line win.")
  Path config;

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

  TrainConfig config(Mode mode, Path scales) {
    String images = data.data();
    Recipe defaults =
        recipe != null
            ? Recipe.named(recipe)
            : images.equals("digits") ? Recipe.DIGITS : Recipe.CIFAR_SEARCH_ONE_DEVICE;
    Architecture arch = architecture.architecture();
    int batch = firstNonNull(batchSize, defaults.batchSize());
    boolean gradMults = mode == Mode.TARGET && scales != null;
    return new TrainConfig(
        arch,
        mode,
        scales,
        new DataSettings(images, data.dataDir, batch, data.valBatch(batch), workers, noAug, noFlip),
        optimizer.settings(defaults, gradMults),
        schedule.settings(firstNonNull(epochs, defaults.epochs()), defaults),
        run.settings(arch, mode));
  }

  /** A run without a folder of its own name could not be found again. */
  void checkOutput(CheckpointSettings checkpoints) {
    checkArgument(
        !checkpoints.resumes() || run.output != null,
        "--resume goes with --output, because without it every run has a new folder");
  }
}
