package org.repopt4j.crosscheck;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;

/** Collects the findings of one case. */
final class Findings {
  private static final double ROUNDING = 1e-9;

  private final String subject;
  private final List<Finding> all = new ArrayList<>();

  Findings(String subject) {
    this.subject = subject;
  }

  /** Every value must be the same. */
  void bitEqual(String quantity, String detail, Difference difference) {
    add(
        quantity,
        detail,
        difference,
        0,
        difference.none() ? Verdict.BIT_EQUAL : Verdict.DEPARTS,
        "");
  }

  /** The relative difference must be at most the tolerance. */
  void within(String quantity, String detail, Difference difference, double tolerance) {
    within(quantity, detail, difference, tolerance, "");
  }

  void within(
      String quantity, String detail, Difference difference, double tolerance, String note) {
    Verdict verdict =
        difference.none()
            ? Verdict.BIT_EQUAL
            : difference.relative() <= tolerance ? Verdict.AGREES : Verdict.DEPARTS;
    add(quantity, detail, difference, tolerance, verdict, note);
  }

  /**
   * The size of a difference that is documented; a case in which there is none but rounding agrees.
   */
  void onPurpose(String quantity, String detail, Difference difference, String why) {
    if (difference.relative() <= ROUNDING) {
      within(quantity, detail, difference, ROUNDING);
    } else {
      add(quantity, detail, difference, Double.POSITIVE_INFINITY, Verdict.ON_PURPOSE, why);
    }
  }

  private void add(
      String quantity,
      String detail,
      Difference difference,
      double tolerance,
      Verdict verdict,
      String note) {
    all.add(new Finding(subject, quantity, detail, difference, tolerance, verdict, note));
  }

  ImmutableList<Finding> all() {
    return ImmutableList.copyOf(all);
  }
}
