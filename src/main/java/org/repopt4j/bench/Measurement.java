package org.repopt4j.bench;

/**
 * What was found of one work.
 *
 * @param name what was measured
 * @param timing how long it took
 * @param images images of one run, 0 where there are none
 * @param bytes bytes that one run must move at least, 0 where nobody knows
 * @param handles native objects that a run holds when it is about to end, -1 where nobody counted
 * @param handlesLeft native objects that the measured runs left behind, all of them together
 */
public record Measurement(
    String name, Timing timing, long images, long bytes, long handles, long handlesLeft) {

  /** At the median. */
  public double imagesPerSecond() {
    return images * 1e3 / timing.median();
  }

  /** Bytes moved at the median, in 10⁹ a second. */
  public double gigabytesPerSecond() {
    return bytes / timing.median() / 1e6;
  }
}
