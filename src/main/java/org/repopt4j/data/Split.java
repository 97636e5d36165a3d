package org.repopt4j.data;

import static com.google.common.base.Preconditions.checkArgument;

/**
 * The two halves of a data set.
 *
 * @param train what a network learns from
 * @param test what it is judged by; same classes, same image size
 */
public record Split(ImageDataSet train, ImageDataSet test) {
  /** Checks that the halves belong together. */
  public Split {
    checkArgument(
        train.classNames().equals(test.classNames()),
        "training and test images must have the same classes");
    checkArgument(
        train.channels() == test.channels()
            && train.height() == test.height()
            && train.width() == test.width(),
        "training and test images must have the same size");
  }

  /** The number of classes of both halves. */
  public int classes() {
    return train.classes();
  }
}
