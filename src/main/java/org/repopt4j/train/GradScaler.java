package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;

/**
 * The factor of the loss that keeps float16 gradients from becoming zero, as {@code
 * torch.amp.GradScaler} chooses it: halved when a gradient overflows, doubled after {@value
 * #INTERVAL} steps in a row in which none did. Immutable.
 *
 * @param scale the factor, a power of two
 * @param goodSteps steps since it last changed
 */
public record GradScaler(double scale, int goodSteps) {
  /** Steps without an overflow after which the scale grows. */
  public static final int INTERVAL = 2000;

  /** As a run begins. */
  public static final GradScaler START = new GradScaler(65536, 0);

  private static final double GROWTH = 2;
  private static final double BACKOFF = 0.5;
  private static final double LARGEST = Float.MAX_VALUE;

  /** Checks the numbers. */
  public GradScaler {
    checkArgument(
        scale > 0 && scale <= LARGEST,
        "a gradient scale must be positive and finite, got: %s",
        scale);
    checkArgument(
        goodSteps >= 0 && goodSteps < INTERVAL,
        "steps since the scale changed must be from 0 to below %s, got: %s",
        INTERVAL,
        goodSteps);
  }

  /**
   * The scale of the next step.
   *
   * @param overflow whether a gradient of this step was infinite or no number
   */
  public GradScaler after(boolean overflow) {
    if (overflow) {
      return new GradScaler(scale * BACKOFF, 0);
    }
    if (goodSteps + 1 < INTERVAL) {
      return new GradScaler(scale, goodSteps + 1);
    }
    double larger = scale * GROWTH;
    return new GradScaler(larger <= LARGEST ? larger : scale, 0);
  }
}
