package org.repopt4j.data;

import java.util.Optional;
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
  private Tensor images;
  private Tensor labels;
  private final int[] sampleIds;
  private final int step;
  private final Optional<Passage> passage;
  private Passage.Transit transit;
  private boolean closed;

  /** A batch that is where it shall be. */
  Batch(Tensor images, Tensor labels, int[] sampleIds, int step) {
    this(images, labels, sampleIds, step, Optional.empty());
  }

  /** A batch of bytes that is yet to go through the passage, if there is one. */
  Batch(Tensor images, Tensor labels, int[] sampleIds, int step, Optional<Passage> passage) {
    this.images = images;
    this.labels = labels;
    this.sampleIds = sampleIds;
    this.step = step;
    this.passage = passage;
  }

  /** Begins the way to the device, if there is one that is not begun. */
  void depart() {
    if (passage.isPresent() && transit == null) {
      transit = passage.get().depart(images, labels);
      images.close();
      labels.close();
      images = transit.images();
      labels = transit.labels();
    }
  }

  /** Ends it; by the thread that is going to use the batch. */
  void arrive() {
    depart();
    if (transit != null) {
      transit.arrive();
      images = transit.images();
    }
  }

  /**
   * The normalised images, float32 {@code [n, channels, height, width]}, on the CPU or where {@link
   * BatchLoader#on} has them.
   */
  public Tensor images() {
    return images;
  }

  /** The classes, int64 {@code [n]}, beside the images. */
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
      if (transit != null) {
        transit.close();
      }
    }
  }
}
