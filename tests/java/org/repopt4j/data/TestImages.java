package org.repopt4j.data;

import com.google.common.collect.ImmutableList;
import java.util.Random;

/** Small data sets of random bytes. */
final class TestImages {
  static final ImmutableList<String> CLASSES = ImmutableList.of("cat", "dog", "ship");

  private TestImages() {}

  /** Images of 3 channels. */
  static InMemoryImages random(int size, int height, int width) {
    Random random = new Random(size * 1000L + height * 100L + width);
    byte[] pixels = new byte[size * 3 * height * width];
    random.nextBytes(pixels);
    int[] labels = new int[size];
    for (int i = 0; i < size; i++) {
      labels[i] = random.nextInt(CLASSES.size());
    }
    return of(pixels, labels, height, width);
  }

  static InMemoryImages of(byte[] pixels, int[] labels, int height, int width) {
    return InMemoryImages.of(
        "random",
        CLASSES,
        3,
        height,
        width,
        pixels,
        labels,
        Normalization.CIFAR100,
        Augmentation.CIFAR);
  }
}
