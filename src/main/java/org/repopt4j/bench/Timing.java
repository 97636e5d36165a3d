package org.repopt4j.bench;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import java.util.List;

/**
 * Durations of equal runs in the order in which they were made, and what they have in common.
 * Immutable.
 *
 * @param milliseconds at least one
 */
public record Timing(List<Double> milliseconds) {

  /** Copies the durations. */
  public Timing {
    checkArgument(!milliseconds.isEmpty(), "a timing needs at least one duration, got none");
    milliseconds = ImmutableList.copyOf(milliseconds);
  }

  /** Half of the runs took at most this long. */
  public double median() {
    return quantile(0.5);
  }

  /** A quarter of the runs took at most this long. */
  public double lowerQuartile() {
    return quantile(0.25);
  }

  /** A quarter of the runs took at least this long. */
  public double upperQuartile() {
    return quantile(0.75);
  }

  /** The shortest run. */
  public double fastest() {
    return quantile(0);
  }

  /** The longest run. */
  public double slowest() {
    return quantile(1);
  }

  /** Between two durations the value is on the line that joins them, as numpy has it. */
  private double quantile(double share) {
    List<Double> sorted = milliseconds.stream().sorted().toList();
    double place = share * (sorted.size() - 1);
    int below = (int) Math.floor(place);
    int above = (int) Math.ceil(place);
    double low = sorted.get(below);
    return low + (place - below) * (sorted.get(above) - low);
  }
}
