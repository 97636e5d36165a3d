package org.repopt4j.train;

import com.google.common.base.Ascii;
import com.google.common.base.Joiner;
import java.util.Arrays;

/**
 * Settings under a name: those of the paper and of the official README, and one for the digits.
 * Options given beside it win.
 */
public enum Recipe {
  /** A minute on two cores: the digits, small batches. */
  DIGITS("the digits in a minute on a CPU", 64, 12, 0.1, 4e-5, 1, 0, 0.0, 0),
  /** README, "Hyper-Search": CIFAR-100, 8 devices of 32 images, gradient clipping. */
  CIFAR_SEARCH(
      "official README, hyper-search of RepOpt-VGG on CIFAR-100",
      256,
      240,
      0.1,
      4e-5,
      10,
      0,
      0.1,
      5),
  /** {@code readme_reproduce_experiments.txt}: CIFAR-100 on one device. */
  CIFAR_SEARCH_ONE_DEVICE(
      "official readme_reproduce_experiments.txt, hyper-search on one device",
      256,
      240,
      0.1,
      4e-5,
      5,
      0,
      0.0,
      0),
  /** README, "Training": ImageNet, 8 devices of 32 images. */
  IMAGENET_TARGET("official README, RepOpt-VGG on ImageNet", 256, 120, 0.1, 4e-5, 5, 0, 0.1, 0),
  /** README, RepOpt-GhostNet: hyper-search on CIFAR-100, 8 devices of 128 images. */
  GHOST_SEARCH(
      "official README, hyper-search of RepOpt-GhostNet on CIFAR-100",
      1024,
      600,
      0.6,
      1e-5,
      10,
      0,
      0.1,
      5),
  /** README, RepOpt-GhostNet and RepGhostNet: ImageNet, 8 devices of 128 images. */
  GHOST_TARGET(
      "official README, RepOpt-GhostNet on ImageNet", 1024, 300, 0.6, 1e-5, 5, 1e-4, 0.1, 0);

  private final String description;
  private final int batchSize;
  private final int epochs;
  private final double lr;
  private final double weightDecay;
  private final double warmupEpochs;
  private final double warmupLr;
  private final double smoothing;
  private final double clipGrad;

  Recipe(
      String description,
      int batchSize,
      int epochs,
      double lr,
      double weightDecay,
      double warmupEpochs,
      double warmupLr,
      double smoothing,
      double clipGrad) {
    this.description = description;
    this.batchSize = batchSize;
    this.epochs = epochs;
    this.lr = lr;
    this.weightDecay = weightDecay;
    this.warmupEpochs = warmupEpochs;
    this.warmupLr = warmupLr;
    this.smoothing = smoothing;
    this.clipGrad = clipGrad;
  }

  /** The recipe of this name, for example {@code cifar-search}. */
  public static Recipe named(String name) {
    for (Recipe recipe : values()) {
      if (recipe.toString().equals(Ascii.toLowerCase(name))) {
        return recipe;
      }
    }
    throw new IllegalArgumentException(
        "--recipe must be one of "
            + Joiner.on(", ").join(Arrays.asList(values()))
            + ", got: '"
            + name
            + "'");
  }

  /** What it is for and where its numbers are from. */
  public String description() {
    return description;
  }

  /** Images a step. */
  public int batchSize() {
    return batchSize;
  }

  /** Passes over the training images. */
  public int epochs() {
    return epochs;
  }

  /** Learning rate for a batch of 256 images. */
  public double lr() {
    return lr;
  }

  /** Weight decay. */
  public double weightDecay() {
    return weightDecay;
  }

  /** Epochs of warm-up. */
  public double warmupEpochs() {
    return warmupEpochs;
  }

  /** Where the warm-up begins, for a batch of 256 images. */
  public double warmupLr() {
    return warmupLr;
  }

  /** Label smoothing. */
  public double smoothing() {
    return smoothing;
  }

  /** Largest norm of the gradient, 0 for none; it is for searches, which use no Grad Mults. */
  public double clipGrad() {
    return clipGrad;
  }

  @Override
  public String toString() {
    return Ascii.toLowerCase(name()).replace('_', '-');
  }
}
