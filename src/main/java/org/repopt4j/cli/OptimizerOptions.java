package org.repopt4j.cli;

import static com.google.common.base.MoreObjects.firstNonNull;

import com.google.common.base.Ascii;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.train.OptimSettings;
import org.repopt4j.train.Recipe;
import picocli.CommandLine.Option;

/** How a step is made. */
final class OptimizerOptions {
  @Option(
      names = "--opt",
      paramLabel = "NAME",
      description =
          "sgd, adamw (exact for any scales) or adamw-official (default: ${DEFAULT-VALUE}).")
  private String opt = "sgd";

  @Option(
      names = "--lr",
      paramLabel = "RATE",
      description =
          "Learning rate for a batch of 256 images; the real one is in proportion to the batch"
              + " and printed (default: recipe).")
  private Double lr;

  @Option(
      names = "--momentum",
      paramLabel = "M",
      description = "SGD's momentum, Nesterov's (default: ${DEFAULT-VALUE}).")
  private double momentum = 0.9;

  @Option(
      names = "--opt-betas",
      paramLabel = "B1,B2",
      description = "AdamW's decays (default: ${DEFAULT-VALUE}).")
  private String betas = "0.9,0.999";

  @Option(names = "--opt-eps", paramLabel = "E", description = "AdamW's epsilon (default: 1e-8).")
  private double eps = 1e-8;

  @Option(
      names = "--weight-decay",
      paramLabel = "W",
      description = "Weight decay; none for biases and normalization (default: recipe).")
  private Double weightDecay;

  @Option(
      names = "--clip-grad",
      paramLabel = "NORM",
      description =
          "Largest L2 norm of the gradient, 0 for none; refused with Grad Mults (default: recipe,"
              + " 0 with Grad Mults).")
  private Double clipGrad;

  @Option(
      names = "--allow-clip-with-grad-mults",
      description =
          "Clip although Grad Mults are in use, which breaks the equality with the block.")
  private boolean clipWithGradMults;

  @Option(
      names = "--grad-accum-steps",
      paramLabel = "N",
      description = "Batches whose gradients make one step (default: ${DEFAULT-VALUE}).")
  private int gradAccumSteps = 1;

  @Option(
      names = "--smoothing",
      paramLabel = "S",
      description = "Label smoothing (default: recipe).")
  private Double smoothing;

  /**
   * The settings, with a recipe's values where none are given.
   *
   * @param gradMults whether Grad Mults are in use, with which gradients are not clipped
   */
  OptimSettings settings(Recipe recipe, boolean gradMults) {
    double[] decays = Numbers.doubles("--opt-betas", betas, 2);
    return new OptimSettings(
        rule(opt),
        firstNonNull(lr, recipe.lr()),
        momentum,
        decays[0],
        decays[1],
        eps,
        firstNonNull(weightDecay, recipe.weightDecay()),
        firstNonNull(clipGrad, gradMults ? 0.0 : recipe.clipGrad()),
        clipWithGradMults,
        gradAccumSteps,
        firstNonNull(smoothing, recipe.smoothing()));
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
}
