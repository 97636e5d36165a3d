package org.repopt4j.data;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.Arrays;

/**
 * One image from bytes to float32: border, crop and flip on the bytes, then the normalization, in
 * the order of the official {@code data/build.py}. Immutable.
 */
final class ImagePipeline {
  private final ImageDataSet images;
  private final Augmentation augmentation;
  private final long seed;

  /** Every byte's value in every channel: a channel has but 256 of them. */
  private final float[][] values;

  ImagePipeline(ImageDataSet images, Augmentation augmentation, long seed) {
    checkArgument(
        augmentation.padding() < Math.min(images.height(), images.width()),
        "padding must be smaller than the images (%sx%s), got: %s",
        images.height(),
        images.width(),
        augmentation.padding());
    this.images = images;
    this.augmentation = augmentation;
    this.seed = seed;
    this.values = new float[images.channels()][256];
    for (int channel = 0; channel < values.length; channel++) {
      for (int value = 0; value < 256; value++) {
        values[channel][value] = images.normalization().apply(channel, value);
      }
    }
  }

  /**
   * Computes one image.
   *
   * @param bytes scratch of {@link ImageDataSet#imageBytes}
   * @param into receives as many values, {@code [channels, height, width]} row-major
   */
  void read(int sample, long epoch, byte[] bytes, float[] into) {
    images.read(sample, bytes, 0);
    Augmentation.Draw draw = augmentation.draw(seed, epoch, sample);
    int height = images.height();
    int width = images.width();
    int left = draw.left() - augmentation.padding();
    for (int channel = 0; channel < values.length; channel++) {
      float[] value = values[channel];
      for (int y = 0; y < height; y++) {
        int to = (channel * height + y) * width;
        int sourceY = y + draw.top() - augmentation.padding();
        if (sourceY < 0 || sourceY >= height) {
          Arrays.fill(into, to, to + width, value[0]);
          continue;
        }
        int from = (channel * height + sourceY) * width;
        for (int x = 0; x < width; x++) {
          int sourceX = left + (draw.flip() ? width - 1 - x : x);
          boolean inside = sourceX >= 0 && sourceX < width;
          into[to + x] = value[inside ? bytes[from + sourceX] & 0xff : 0];
        }
      }
    }
  }
}
