package org.repopt4j.data;

import com.google.common.base.Splitter;
import com.google.common.collect.ImmutableList;
import com.google.common.io.CharStreams;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.zip.GZIPInputStream;

/**
 * The UCI handwritten digits (Alpaydin and Kaynak, CC BY 4.0; see {@code digits-NOTICE.txt}), which
 * are part of this library: 1,797 grey images of 8x8 pixels and 17 levels.
 *
 * <p>They are shown as 3x32x32: every pixel becomes a block of 4x4 (nearest neighbour; a level is
 * the number of black pixels in such a block of the scanned 32x32 bitmap), the levels 0..16 become
 * the bytes {@code round(level * 255 / 16)}, and the three channels are equal.
 *
 * <p>36 images of each digit, chosen by a fixed seed, are the test half (360); the other 1,437 are
 * the training half. Both keep the order of the source. Writers are not known, so the halves share
 * them.
 */
public final class Digits {
  private static final String RESOURCE = "digits.csv.gz";
  private static final int ROWS = 1797;
  private static final int SIDE = 8;
  private static final int SCALE = 4;
  private static final int LEVELS = 17;
  private static final int CLASSES = 10;
  private static final int TEST_IMAGES_PER_CLASS = 36;
  private static final long SPLIT_SEED = 1998;

  private static final ImmutableList<String> CLASS_NAMES =
      ImmutableList.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");

  /** Mean and standard deviation of the training half. */
  static final Normalization NORMALIZATION =
      Normalization.of(
          new double[] {0.3053, 0.3053, 0.3053}, new double[] {0.3762, 0.3762, 0.3762});

  /** A shift by up to one pixel of the source; mirrored digits are no digits. */
  static final Augmentation AUGMENTATION = new Augmentation(SCALE, false);

  private Digits() {}

  /**
   * Both halves.
   *
   * @throws IOException if the resource is missing from the jar or damaged
   */
  public static Split open() throws IOException {
    List<int[]> rows = rows();
    BitSet test = testRows(rows);
    List<int[]> trainRows = new ArrayList<>();
    List<int[]> testRows = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      (test.get(i) ? testRows : trainRows).add(rows.get(i));
    }
    return new Split(images(trainRows), images(testRows));
  }

  private static BitSet testRows(List<int[]> rows) {
    BitSet test = new BitSet(rows.size());
    int[] order = EpochOrder.shuffled(rows.size(), SPLIT_SEED, 0);
    int[] taken = new int[CLASSES];
    for (int row : order) {
      int label = rows.get(row)[SIDE * SIDE];
      if (taken[label] < TEST_IMAGES_PER_CLASS) {
        taken[label]++;
        test.set(row);
      }
    }
    return test;
  }

  private static ImageDataSet images(List<int[]> rows) {
    int side = SIDE * SCALE;
    byte[] pixels = new byte[rows.size() * 3 * side * side];
    int[] labels = new int[rows.size()];
    int at = 0;
    for (int i = 0; i < labels.length; i++) {
      int[] row = rows.get(i);
      labels[i] = row[SIDE * SIDE];
      for (int channel = 0; channel < 3; channel++) {
        for (int y = 0; y < side; y++) {
          for (int x = 0; x < side; x++) {
            int level = row[y / SCALE * SIDE + x / SCALE];
            pixels[at++] = (byte) Math.round(level * 255f / (LEVELS - 1));
          }
        }
      }
    }
    return new InMemoryImages(
        "digits",
        CLASS_NAMES,
        new int[] {3, side, side},
        pixels,
        labels,
        NORMALIZATION,
        AUGMENTATION);
  }

  private static List<int[]> rows() throws IOException {
    try (InputStream raw = Digits.class.getResourceAsStream(RESOURCE)) {
      if (raw == null) {
        throw new IOException("the resource " + RESOURCE + " is missing from this jar");
      }
      List<int[]> rows = new ArrayList<>(ROWS);
      for (String line :
          CharStreams.readLines(
              new InputStreamReader(new GZIPInputStream(raw), StandardCharsets.US_ASCII))) {
        rows.add(row(line, rows.size() + 1));
      }
      if (rows.size() != ROWS) {
        throw new IOException(RESOURCE + " must have " + ROWS + " rows, got: " + rows.size());
      }
      return rows;
    }
  }

  private static int[] row(String line, int number) throws IOException {
    int[] row = new int[SIDE * SIDE + 1];
    int at = 0;
    for (String field : Splitter.on(',').split(line)) {
      int limit = at < SIDE * SIDE ? LEVELS : CLASSES;
      int value = field.matches("\\d{1,2}") ? Integer.parseInt(field) : limit;
      if (at == row.length || value >= limit) {
        throw new IOException(RESOURCE + " is damaged in row " + number + ": " + line);
      }
      row[at++] = value;
    }
    if (at != row.length) {
      throw new IOException(RESOURCE + " is damaged in row " + number + ": " + line);
    }
    return row;
  }
}
