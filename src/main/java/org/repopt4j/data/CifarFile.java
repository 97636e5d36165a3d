package org.repopt4j.data;

import com.google.common.collect.ImmutableList;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * One file of CIFAR's binary layout: records of {@code labels} label bytes and 3,072 pixel bytes
 * ({@code [3, 32, 32]} row-major), one after another, nothing else. How many there are is what the
 * file's size says.
 */
final class CifarFile {
  static final int PIXELS = 3 * 32 * 32;
  private static final long MAX_NAMES_SIZE = 1 << 20;

  private final Path path;
  private final int[] labelLimits;
  private final long images;

  private CifarFile(Path path, int[] labelLimits, long images) {
    this.path = path;
    this.labelLimits = labelLimits;
    this.images = images;
  }

  /**
   * Looks at a file's size.
   *
   * @param labelLimits for each label byte, the number of its classes; the last is the image's
   *     label
   * @param published how many images the published file has, for messages
   * @throws IOException if it cannot be read, or its size is not that of one or more whole records
   */
  static CifarFile open(Path path, int[] labelLimits, long published) throws IOException {
    checkReadable(path);
    long size = Files.size(path);
    int record = labelLimits.length + PIXELS;
    if (size == 0 || size % record != 0) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "%s is %s: it has %,d bytes, but must have a multiple of %,d (%d label and %,d pixel"
                  + " bytes for each image, at least one image); the published file has %,d",
              path,
              size == 0 ? "empty" : "cut off or another file",
              size,
              record,
              labelLimits.length,
              PIXELS,
              published * record));
    }
    return new CifarFile(path, labelLimits, size / record);
  }

  /** How many images the file has, at least 1. */
  long images() {
    return images;
  }

  /**
   * Reads all images.
   *
   * @param first position of the first image in both arrays
   * @throws IOException if the file ends early or holds a label out of range
   */
  void read(byte[] pixels, int[] labels, int first) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path), 1 << 16)) {
      for (int i = 0; i < images; i++) {
        for (int limit : labelLimits) {
          int label = in.read();
          if (label >= limit) {
            throw new IOException(
                String.format(
                    Locale.ROOT,
                    "%s: image %,d of %,d has the label %d, but labels must be from 0 to %d; it is"
                        + " another file or damaged",
                    path,
                    i,
                    images,
                    label,
                    limit - 1));
          }
          labels[first + i] = label;
        }
        if (in.readNBytes(pixels, (first + i) * PIXELS, PIXELS) != PIXELS) {
          throw new EOFException(
              String.format(
                  Locale.ROOT, "%s ended in image %,d of %,d while it was read", path, i, images));
        }
      }
    }
  }

  /**
   * Reads a list of names, one a line.
   *
   * @throws IOException if it cannot be read or does not have {@code count} lines with text
   */
  static List<String> names(Path path, int count) throws IOException {
    checkReadable(path);
    long size = Files.size(path);
    if (size > MAX_NAMES_SIZE) {
      throw new IOException(
          String.format(
              Locale.ROOT, "%s has %,d bytes, too many for %d class names", path, size, count));
    }
    try {
      List<String> names =
          Files.readAllLines(path).stream()
              .map(String::strip)
              .filter(name -> !name.isEmpty())
              .collect(ImmutableList.toImmutableList());
      if (names.size() != count) {
        throw new IOException(
            path + " must have " + count + " class names, one a line, got: " + names.size());
      }
      return names;
    } catch (CharacterCodingException e) {
      throw new IOException(path + " must be UTF-8 text with " + count + " class names", e);
    }
  }

  private static void checkReadable(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new NoSuchFileException(path + " does not exist");
    }
    if (!Files.isRegularFile(path)) {
      throw new IOException(path + " is not a file, but a folder or a device");
    }
    if (!Files.isReadable(path)) {
      throw new IOException(path + " may not be read by this user");
    }
  }
}
