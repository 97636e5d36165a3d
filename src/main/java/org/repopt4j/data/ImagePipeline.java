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
    rows(
        sample,
        epoch,
        bytes,
        (channel, row) -> look(bytes, row, values[channel], into, images.width()));
  }

  /** The same image before it is normalised. */
  void readBytes(int sample, long epoch, byte[] bytes, byte[] into) {
    rows(sample, epoch, bytes, (channel, row) -> copy(bytes, row, into, images.width()));
  }

  /**
   * A row of the result: those of its pixels that are the image's, the others are the border's.
   *
   * @param to where the row begins in the result
   * @param begin its first pixel of the image
   * @param end the first one after them
   * @param from where the pixel 0 would be in the image
   * @param stride 1, or -1 if the row is mirrored
   */
  private record Row(int to, int begin, int end, int from, int stride) {}

  private interface RowWriter {
    void write(int channel, Row row);
  }

  private void rows(int sample, long epoch, byte[] bytes, RowWriter writer) {
    images.read(sample, bytes, 0);
    Augmentation.Draw draw = augmentation.draw(seed, epoch, sample);
    int height = images.height();
    int width = images.width();
    int left = draw.left() - augmentation.padding();
    int stride = draw.flip() ? -1 : 1;
    int begin = Math.max(0, -stride * left);
    int end = Math.min(width, width - stride * left);
    int first = draw.flip() ? left + width - 1 : left;
    for (int channel = 0; channel < values.length; channel++) {
      for (int y = 0; y < height; y++) {
        int to = (channel * height + y) * width;
        int sourceY = y + draw.top() - augmentation.padding();
        boolean inside = sourceY >= 0 && sourceY < height;
        int from = (channel * height + sourceY) * width + first;
        writer.write(channel, new Row(to, begin, inside ? end : begin, from, stride));
      }
    }
  }

  private static void look(byte[] bytes, Row row, float[] value, float[] into, int width) {
    int to = row.to;
    int from = row.from;
    int stride = row.stride;
    int end = row.end;
    Arrays.fill(into, to, to + row.begin, value[0]);
    for (int x = row.begin; x < end; x++) {
      into[to + x] = value[bytes[from + stride * x] & 0xff];
    }
    Arrays.fill(into, to + end, to + width, value[0]);
  }

  private static void copy(byte[] bytes, Row row, byte[] into, int width) {
    int to = row.to;
    int from = row.from;
    int stride = row.stride;
    int end = row.end;
    Arrays.fill(into, to, to + row.begin, (byte) 0);
    for (int x = row.begin; x < end; x++) {
      into[to + x] = bytes[from + stride * x];
    }
    Arrays.fill(into, to + end, to + width, (byte) 0);
  }
}
