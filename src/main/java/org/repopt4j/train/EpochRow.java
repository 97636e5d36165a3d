package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;

/**
 * One row of {@code summary.csv}.
 *
 * @param epoch the epoch, from 0
 * @param trainLoss mean training loss
 * @param trainTop1 training accuracy on the augmented images, 0 to 1
 * @param evalLoss mean test loss, NaN where this epoch was not evaluated
 * @param evalTop1 test accuracy, 0 to 1, NaN where this epoch was not evaluated
 * @param evalTop5 test accuracy of the five likeliest classes, likewise
 * @param emaTop1 test accuracy of the moving average, NaN where there is none
 * @param lr learning rate of the last step
 * @param imagesPerSecond training speed
 * @param seconds training and evaluation time
 */
public record EpochRow(
    int epoch,
    double trainLoss,
    double trainTop1,
    double evalLoss,
    double evalTop1,
    double evalTop5,
    double emaTop1,
    double lr,
    double imagesPerSecond,
    double seconds) {

  /** Every number but the epoch, in order. */
  double[] values() {
    return new double[] {
      trainLoss, trainTop1, evalLoss, evalTop1, evalTop5, emaTop1, lr, imagesPerSecond, seconds
    };
  }

  /** The row of these numbers. */
  static EpochRow of(int epoch, double[] v) {
    checkArgument(v.length == 9, "a row has 9 numbers beside its epoch, got: %s", v.length);
    return new EpochRow(epoch, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]);
  }
}
