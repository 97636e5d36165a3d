package org.repopt4j.data;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableMap;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The data sets that can be opened by name. */
public final class DataSets {
  private static final ImmutableMap<String, Opener> OPENERS =
      ImmutableMap.of(
          "digits", DataSets::digits,
          "cifar10", folder -> open(Cifar.CIFAR10, folder),
          "cifar100", folder -> open(Cifar.CIFAR100, folder));

  private DataSets() {}

  @FunctionalInterface
  private interface Opener {
    Split open(Path folder) throws IOException;
  }

  /** The names that {@link #open} knows. */
  public static List<String> names() {
    return OPENERS.keySet().asList();
  }

  /**
   * Opens both halves of a data set.
   *
   * @param name one of {@link #names}
   * @param folder where its files are; {@code null} for {@code digits}, which comes with the
   *     library and has none
   * @throws IllegalArgumentException if the name is unknown, or the folder is missing or one too
   *     many
   * @throws IOException if a file is missing or damaged; the message names it
   */
  public static Split open(String name, Path folder) throws IOException {
    Opener opener = OPENERS.get(name);
    checkArgument(opener != null, "there is no data set named '%s'; known are %s", name, names());
    return opener.open(folder);
  }

  /** Whoever names a folder means other images than these. */
  private static Split digits(Path folder) throws IOException {
    checkArgument(
        folder == null,
        "the digits come with the library, but --data-dir names %s; add --data cifar10 or cifar100,"
            + " or leave --data-dir out",
        folder);
    return Digits.open();
  }

  private static Split open(Cifar cifar, Path folder) throws IOException {
    checkArgument(folder != null, "the data folder is missing (--data-dir): %s", cifar.wanted());
    return cifar.open(folder);
  }
}
