package org.repopt4j.data;

import static com.google.common.base.Preconditions.checkArgument;

/**
 * Random crop and random horizontal flip of a training image, as torchvision's {@code
 * RandomCrop(size, padding)} and {@code RandomHorizontalFlip()} in the official {@code
 * data/build.py}: the image gets a border of {@code padding} black pixels, a window of the image's
 * own size is cut out of it at a uniformly random place, and with probability 1/2 it is mirrored.
 *
 * @param padding width of the border in pixels; 0 switches the crop off
 * @param flip whether images are mirrored
 */
public record Augmentation(int padding, boolean flip) {
  /** Leaves images as they are, as evaluation does. */
  public static final Augmentation NONE = new Augmentation(0, false);

  /** The official training pipeline of CIFAR-100. */
  public static final Augmentation CIFAR = new Augmentation(4, true);

  /** Checks the numbers. */
  public Augmentation {
    checkArgument(padding >= 0, "padding must not be negative, got: %s", padding);
  }

  /** The same without mirroring, for images such as letters that change their meaning by it. */
  public Augmentation withoutFlip() {
    return new Augmentation(padding, false);
  }

  /**
   * What chance decides for one image: a pure function of the three numbers and of the padding.
   * Switching the flip off leaves the crops as they were.
   */
  public Draw draw(long seed, long epoch, int sample) {
    SplitMix64 random = SplitMix64.of(seed, epoch, sample);
    int top = random.nextInt(2 * padding + 1);
    int left = random.nextInt(2 * padding + 1);
    boolean mirrored = random.nextLong() < 0;
    return new Draw(top, left, flip && mirrored);
  }

  /**
   * A decision for one image.
   *
   * @param top the window's first row in the bordered image, 0 to {@code 2 * padding}
   * @param left the window's first column in the bordered image, 0 to {@code 2 * padding}
   * @param flip whether the window is mirrored
   */
  public record Draw(int top, int left, boolean flip) {}
}
