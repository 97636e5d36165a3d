package org.repopt4j.data;

import org.bytedeco.pytorch.Tensor;

/**
 * Images and labels of one step, in native memory that {@link #close} frees.
 *
 * <p>A batch is made by a thread of the loader, so no {@link org.repopt4j.runtime.StepScope} of the
 * caller's frees it. Closing it while a gradient still needs the images is harmless: libtorch holds
 * what it needs.
 *
 * <pre>{@code
 * for (Batch next : epoch) {
 *   try (Batch batch = next; StepScope step = StepScope.open()) {
 *     ...
 *   }
 * }
 * }</pre>
 */
public final class Batch implements AutoCloseable {
  private final Tensor images;
  private final Tensor labels;
  private final int[] sampleIds;
  private final int step;
  private boolean closed;

  Batch(Tensor images, Tensor labels, int[] sampleIds, int step) {
    this.images = images;
    this.labels = labels;
    this.sampleIds = sampleIds;
    this.step = step;
  }

  /** The normalised images, float32 {@code [n, channels, height, width]} on the CPU. */
  public Tensor images() {
    return images;
  }

  /** The classes, int64 {@code [n]} on the CPU. */
  public Tensor labels() {
    return labels;
  }

  /** Where in the data set the images are from. */
  public int[] sampleIds() {
    return sampleIds.clone();
  }

  /** The number of images. */
  public int size() {
    return sampleIds.length;
  }

  /** The batch's number within its epoch, from 0 on, wherever the epoch was begun. */
  public int step() {
    return step;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      images.close();
      labels.close();
    }
  }
}
