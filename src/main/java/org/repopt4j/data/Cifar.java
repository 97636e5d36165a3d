package org.repopt4j.data;

import static com.google.common.base.Preconditions.checkNotNull;

import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * CIFAR-10 and CIFAR-100 (Krizhevsky, 2009) in their binary layout, and any other data set in it.
 *
 * <p>A file is a row of records. CIFAR-10's record is one label byte (0..9) and 3,072 pixel bytes
 * ({@code [3, 32, 32]} row-major); CIFAR-100's has the coarse label (0..19) before the fine one
 * (0..99), and the fine one counts. The number of images is what the file's size says.
 */
public final class Cifar {
  /** {@code data_batch_1.bin} to {@code data_batch_5.bin}, {@code test_batch.bin}. */
  public static final Cifar CIFAR10 =
      new Cifar(
          "cifar10",
          "cifar-10-batches-bin",
          "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
          ImmutableList.of(
              "data_batch_1.bin",
              "data_batch_2.bin",
              "data_batch_3.bin",
              "data_batch_4.bin",
              "data_batch_5.bin"),
          "test_batch.bin",
          "batches.meta.txt",
          Normalization.CIFAR10,
          10);

  /** {@code train.bin} and {@code test.bin}. */
  public static final Cifar CIFAR100 =
      new Cifar(
          "cifar100",
          "cifar-100-binary",
          "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
          ImmutableList.of("train.bin"),
          "test.bin",
          "fine_label_names.txt",
          Normalization.CIFAR100,
          20,
          100);

  private static final int TRAIN_IMAGES = 50_000;
  private static final int TEST_IMAGES = 10_000;

  private final String id;
  private final String subfolder;
  private final String source;
  private final ImmutableList<String> trainFiles;
  private final String testFile;
  private final String namesFile;
  private final Normalization normalization;
  private final int[] labelLimits;

  private Cifar(
      String id,
      String subfolder,
      String source,
      ImmutableList<String> trainFiles,
      String testFile,
      String namesFile,
      Normalization normalization,
      int... labelLimits) {
    this.id = id;
    this.subfolder = subfolder;
    this.source = source;
    this.trainFiles = trainFiles;
    this.testFile = testFile;
    this.namesFile = namesFile;
    this.normalization = normalization;
    this.labelLimits = labelLimits;
  }

  /**
   * Reads both halves into memory (184 MB for the published files).
   *
   * @param folder holds the files itself, or in the subfolder that the published archive makes
   * @throws IOException if a file is missing, cut off or not of this layout; the message names it
   */
  public Split open(Path folder) throws IOException {
    Path root = root(checkNotNull(folder, "folder"));
    int classes = labelLimits[labelLimits.length - 1];
    List<String> names = CifarFile.names(root.resolve(namesFile), classes);
    return new Split(
        read(root, trainFiles, TRAIN_IMAGES, names),
        read(root, ImmutableList.of(testFile), TEST_IMAGES, names));
  }

  /** Which files are needed and where they come from, as one sentence. */
  String wanted() {
    return String.format(
        "%s needs a folder with %s, %s and %s, which is what unpacking %s gives",
        id, String.join(", ", trainFiles), testFile, namesFile, source);
  }

  private Path root(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new IOException(
          folder + (Files.exists(folder) ? " is not a folder; " : " does not exist; ") + wanted());
    }
    Path inner = folder.resolve(subfolder);
    Path root = Files.isDirectory(inner) ? inner : folder;
    for (String name :
        ImmutableList.<String>builder().addAll(trainFiles).add(testFile, namesFile).build()) {
      if (!Files.exists(root.resolve(name))) {
        throw new IOException(root.resolve(name) + " does not exist; " + wanted());
      }
    }
    return root;
  }

  private ImageDataSet read(Path root, List<String> files, int published, List<String> names)
      throws IOException {
    List<CifarFile> parts = new ArrayList<>();
    long images = 0;
    for (String file : files) {
      CifarFile part = CifarFile.open(root.resolve(file), labelLimits, published / files.size());
      parts.add(part);
      images += part.images();
    }
    if (images > Integer.MAX_VALUE / CifarFile.PIXELS) {
      throw new IOException(
          root + " has " + images + " images in " + files + ", more than fit in memory");
    }
    byte[] pixels = new byte[(int) images * CifarFile.PIXELS];
    int[] labels = new int[(int) images];
    int first = 0;
    for (CifarFile part : parts) {
      part.read(pixels, labels, first);
      first += (int) part.images();
    }
    return new InMemoryImages(
        id, names, new int[] {3, 32, 32}, pixels, labels, normalization, Augmentation.CIFAR);
  }
}
