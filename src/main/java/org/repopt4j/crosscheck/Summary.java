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
 * @param cases how often
 * @param worst the finding that is furthest apart
 */
public record Summary(String kind, String quantity, int cases, Finding worst) {

  /** The findings by kind and quantity, in the order of their first appearance. */
  public static ImmutableList<Summary> of(List<Finding> findings) {
    Map<String, Summary> rows = new LinkedHashMap<>();
    for (Finding finding : findings) {
      String kind = finding.subject().replaceFirst("-\\d+$", "");
      rows.merge(
          kind + '\n' + finding.quantity(),
          new Summary(kind, finding.quantity(), 1, finding),
          Summary::and);
    }
    return ImmutableList.copyOf(rows.values());
  }

  private Summary and(Summary other) {
    return new Summary(kind, quantity, cases + other.cases, worse(worst, other.worst));
  }

  private static Finding worse(Finding a, Finding b) {
    int verdicts = a.verdict().compareTo(b.verdict());
    if (verdicts != 0) {
      return verdicts > 0 ? a : b;
    }
    return a.difference().relative() >= b.difference().relative() ? a : b;
  }

  /** The kind, and the case that is worst where there are several. */
  public String subject() {
    return cases == 1 ? worst.subject() : kind + " (" + cases + "), worst " + worst.subject();
  }

  /** The distance in representable numbers, as people write it. */
  public static String ulps(Difference difference) {
    long ulps = difference.maxUlp();
    return ulps < 0 ? "-" : ulps < 100_000 ? Long.toString(ulps) : number((double) ulps);
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
