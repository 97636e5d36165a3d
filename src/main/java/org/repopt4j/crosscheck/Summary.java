package org.repopt4j.crosscheck;

import com.google.common.collect.ImmutableList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One quantity over all cases of a kind.
 *
 * @param kind of the cases, for example {@code vgg}
 * @param quantity what was compared
 * @param comparisons how often
 * @param difference the largest of all
 * @param worst the finding that is furthest apart
 */
public record Summary(
    String kind, String quantity, int comparisons, Difference difference, Finding worst) {

  /** The findings by kind and quantity, in the order of their first appearance. */
  public static ImmutableList<Summary> of(List<Finding> findings) {
    Map<String, Map<String, Summary>> kinds = new LinkedHashMap<>();
    for (Finding finding : findings) {
      String kind = finding.subject().replaceFirst("-\\d+$", "");
      // What differs on purpose has a row of its own.
      String quantity =
          finding.verdict() == Verdict.ON_PURPOSE ? finding.title() : finding.quantity();
      kinds
          .computeIfAbsent(kind, k -> new LinkedHashMap<>())
          .merge(
              quantity,
              new Summary(kind, quantity, 1, finding.difference(), finding),
              Summary::and);
    }
    return kinds.values().stream()
        .flatMap(rows -> rows.values().stream())
        .collect(ImmutableList.toImmutableList());
  }

  private Summary and(Summary other) {
    return new Summary(
        kind,
        quantity,
        comparisons + other.comparisons,
        difference.and(other.difference),
        worse(worst, other.worst));
  }

  private static Finding worse(Finding a, Finding b) {
    int verdicts = a.verdict().compareTo(b.verdict());
    if (verdicts != 0) {
      return verdicts > 0 ? a : b;
    }
    return a.difference().relative() >= b.difference().relative() ? a : b;
  }

  /** The kind and how often, and which is worst unless all are equal. */
  public String subject() {
    if (comparisons == 1) {
      return worst.subject();
    }
    String which =
        worst.verdict() == Verdict.BIT_EQUAL
            ? ""
            : ", worst " + worst.subject() + (worst.detail().isEmpty() ? "" : " " + worst.detail());
    return kind + " x" + comparisons + which;
  }

  /** The distance in representable numbers, as people write it. */
  public static String ulps(Difference difference, Verdict verdict) {
    long ulps = difference.maxUlp();
    return ulps < 0 || verdict == Verdict.ON_PURPOSE
        ? "-"
        : ulps < 100_000 ? Long.toString(ulps) : number((double) ulps);
  }

  /** The relative difference, as people write it. */
  public static String relative(Difference difference) {
    double relative = difference.relative();
    return relative == 0 ? "0" : Double.isFinite(relative) ? number(relative) : "-";
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1e", value);
  }
}
