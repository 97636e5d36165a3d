package org.repopt4j.bench;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.OptionalInt;
import java.util.function.IntPredicate;

/** The search for the largest number that fits: doubling, then bisection. */
final class BatchSearch {
  private BatchSearch() {}

  /**
   * The largest number from {@code first} to {@code last} that fits, if whatever is smaller than
   * what fits does, too; empty if {@code first} does not fit. It asks about twice as often as the
   * result has binary digits.
   *
   * @param fits asked once for a number at most
   */
  static OptionalInt largest(int first, int last, IntPredicate fits) {
    checkArgument(1 <= first && first <= last, "the search needs 1 <= %s <= %s", first, last);
    if (!fits.test(first)) {
      return OptionalInt.empty();
    }
    int fitting = first;
    int tooLarge = last + 1;
    while (fitting < last && tooLarge > last) {
      int next = (int) Math.min(2L * fitting, last);
      if (fits.test(next)) {
        fitting = next;
      } else {
        tooLarge = next;
      }
    }
    while (tooLarge - fitting > 1) {
      int middle = fitting + (tooLarge - fitting) / 2;
      if (fits.test(middle)) {
        fitting = middle;
      } else {
        tooLarge = middle;
      }
    }
    return OptionalInt.of(fitting);
  }
}
