package org.repopt4j.data;

import java.util.List;

/**
 * Labelled images of one size, as raw bytes. Immutable; all methods may be called by many threads
 * at once.
 */
public interface ImageDataSet {
  /** The name that people know it by, for example {@code cifar100}. */
  String name();

  /** The number of images, at least 1. */
  int size();

  /** The names of the classes; a label is a position in this list. */
  List<String> classNames();

  /** The number of classes. */
  default int classes() {
    return classNames().size();
  }

  /** Channels of an image. */
  int channels();

  /** Height of an image in pixels. */
  int height();

  /** Width of an image in pixels. */
  int width();

  /** The number of bytes of an image, {@code channels * height * width}. */
  default int imageBytes() {
    return channels() * height() * width();
  }

  /**
   * Copies one image.
   *
   * @param index from 0 to {@code size() - 1}
   * @param into receives {@link #imageBytes} unsigned bytes, laid out {@code [channels, height,
   *     width]} row-major
   * @param offset where in {@code into} the image begins
   * @throws IndexOutOfBoundsException if there is no such image, or no room for it
   * @throws CorruptImageException if the image cannot be decoded
   */
  void read(int index, byte[] into, int offset);

  /**
   * The class of one image, from 0 to {@code classes() - 1}.
   *
   * @throws IndexOutOfBoundsException if there is no such image
   */
  int label(int index);

  /** How these images become float32 values, in training and in evaluation. */
  Normalization normalization();

  /** What training does to these images unless it is told otherwise. */
  Augmentation augmentation();
}
