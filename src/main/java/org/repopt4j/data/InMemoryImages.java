package org.repopt4j.data;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkNotNull;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.Objects;

/** A data set whose bytes lie in the Java heap, once, whoever reads them. */
public final class InMemoryImages implements ImageDataSet {
  private final String name;
  private final ImmutableList<String> classNames;
  private final int channels;
  private final int height;
  private final int width;
  private final byte[] pixels;
  private final int[] labels;
  private final Normalization normalization;
  private final Augmentation augmentation;

  InMemoryImages(
      String name,
      List<String> classNames,
      int[] chw,
      byte[] pixels,
      int[] labels,
      Normalization normalization,
      Augmentation augmentation) {
    this.name = checkNotNull(name, "name");
    this.classNames = ImmutableList.copyOf(classNames);
    this.channels = chw[0];
    this.height = chw[1];
    this.width = chw[2];
    this.pixels = pixels;
    this.labels = labels;
    this.normalization = checkNotNull(normalization, "normalization");
    this.augmentation = checkNotNull(augmentation, "augmentation");
    check();
  }

  /**
   * A data set of the caller's own; the arrays are copied.
   *
   * @param classNames one for each class
   * @param channels of an image, as many as {@code normalization} has
   * @param pixels the images one after another, each {@code [channels, height, width]} row-major,
   *     unsigned
   * @param labels one for each image, from 0 to {@code classNames.size() - 1}
   * @throws IllegalArgumentException if these do not fit each other, or there is no image
   */
  public static InMemoryImages of(
      String name,
      List<String> classNames,
      int channels,
      int height,
      int width,
      byte[] pixels,
      int[] labels,
      Normalization normalization,
      Augmentation augmentation) {
    return new InMemoryImages(
        name,
        classNames,
        new int[] {channels, height, width},
        pixels.clone(),
        labels.clone(),
        normalization,
        augmentation);
  }

  private void check() {
    checkArgument(
        channels >= 1 && height >= 1 && width >= 1,
        "an image must have a channel and a pixel, got %sx%sx%s",
        channels,
        height,
        width);
    checkArgument(labels.length >= 1, "the data set %s has no image", name);
    checkArgument(
        pixels.length == (long) labels.length * channels * height * width,
        "%s images of %sx%sx%s bytes are not %s bytes",
        labels.length,
        channels,
        height,
        width,
        pixels.length);
    checkArgument(
        normalization.channels() == channels,
        "the images have %s channels, but the normalization has %s",
        channels,
        normalization.channels());
    for (int i = 0; i < labels.length; i++) {
      checkArgument(
          labels[i] >= 0 && labels[i] < classNames.size(),
          "the label of image %s must be from 0 to %s, got: %s",
          i,
          classNames.size() - 1,
          labels[i]);
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int size() {
    return labels.length;
  }

  @Override
  public List<String> classNames() {
    return classNames;
  }

  @Override
  public int channels() {
    return channels;
  }

  @Override
  public int height() {
    return height;
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public void read(int index, byte[] into, int offset) {
    Objects.checkIndex(index, size());
    System.arraycopy(pixels, index * imageBytes(), into, offset, imageBytes());
  }

  @Override
  public int label(int index) {
    return labels[Objects.checkIndex(index, size())];
  }

  @Override
  public Normalization normalization() {
    return normalization;
  }

  @Override
  public Augmentation augmentation() {
    return augmentation;
  }

  @Override
  public String toString() {
    return name + "[" + size() + " images, " + classes() + " classes]";
  }
}
