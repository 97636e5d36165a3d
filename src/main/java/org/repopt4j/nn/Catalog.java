package org.repopt4j.nn;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Ascii;
import com.google.common.base.CharMatcher;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.Comparator;
import java.util.List;

/**
 * The architectures that have names. B1, B2, L1 and L2 are those of the RepOptimizers paper; A0 to
 * B3 have the blocks and widths of the RepVGG paper (table 2); GhostNets are RepGhost's.
 */
final class Catalog {
  private static final ImmutableMap<String, Architecture> BY_NAME = byName();

  private Catalog() {}

  private static ImmutableMap<String, Architecture> byName() {
    ImmutableList<Integer> a = ImmutableList.of(2, 4, 14, 1);
    ImmutableList<Integer> b = ImmutableList.of(4, 6, 16, 1);
    ImmutableList<Integer> l = ImmutableList.of(8, 14, 24, 1);
    ImmutableMap.Builder<String, Architecture> all = ImmutableMap.builder();
    vgg(all, "A0", a, 0.75, 2.5);
    vgg(all, "A1", a, 1, 2.5);
    vgg(all, "A2", a, 1.5, 2.75);
    vgg(all, "B0", b, 1, 2.5);
    vgg(all, "B1", b, 2, 4);
    vgg(all, "B2", b, 2.5, 5);
    vgg(all, "B3", b, 3, 5);
    vgg(all, "L1", l, 2, 4);
    vgg(all, "L2", l, 2.5, 5);
    // For images of 32x32 on a laptop: the first stages keep the resolution.
    all.put(
        "RepOpt-VGG-tiny",
        new VggArchitecture(
            "RepOpt-VGG-tiny",
            ImmutableList.of(1, 2, 3, 1),
            ImmutableList.of(0.25, 0.25, 0.25, 0.25),
            ImmutableList.of(1, 1, 2, 2, 2),
            false));
    for (String width : GhostArchitecture.WIDTHS) {
      String name = "RepOpt-GhostNet-" + width + "x";
      all.put(name, new GhostArchitecture(name, Double.parseDouble(width)));
    }
    return all.buildOrThrow();
  }

  private static void vgg(
      ImmutableMap.Builder<String, Architecture> all,
      String letters,
      ImmutableList<Integer> blocks,
      double width,
      double lastWidth) {
    String name = "RepOpt-VGG-" + letters;
    all.put(
        name,
        new VggArchitecture(
            name,
            blocks,
            ImmutableList.of(width, width, width, lastWidth),
            VggArchitecture.STRIDES,
            false));
  }

  static List<String> names() {
    return BY_NAME.keySet().asList();
  }

  static Architecture named(String name) {
    String wanted = letters(name);
    for (String known : names()) {
      if (letters(known).equals(wanted)) {
        return BY_NAME.get(known);
      }
    }
    String nearest =
        names().stream()
            .min(Comparator.comparingInt(known -> distance(letters(known), wanted)))
            .orElseThrow();
    checkArgument(
        false,
        "no architecture is named '%s'; did you mean %s? Known: %s",
        name,
        nearest,
        String.join(", ", names()));
    throw new AssertionError();
  }

  private static String letters(String name) {
    return CharMatcher.anyOf("-_ ").removeFrom(Ascii.toLowerCase(name));
  }

  /** Levenshtein's: how many letters must be put in, taken out or changed. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int changed = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
