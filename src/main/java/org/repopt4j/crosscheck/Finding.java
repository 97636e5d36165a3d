package org.repopt4j.crosscheck;

/**
 * One quantity of one case.
 *
 * @param subject the case, for example {@code vgg-03}
 * @param quantity for example {@code Grad Mults}
 * @param detail which of them, for example {@code sgd}, or empty
 * @param difference ours against the official
 * @param tolerance the largest relative difference that agrees; 0 where every bit must be the same
 * @param verdict what that comes to
 * @param note what else there is to say, or empty
 */
public record Finding(
    String subject,
    String quantity,
    String detail,
    Difference difference,
    double tolerance,
    Verdict verdict,
    String note) {

  /** The quantity with its detail. */
  public String title() {
    return detail.isEmpty() ? quantity : quantity + ", " + detail;
  }
}
