package org.repopt4j.bench;

import org.repopt4j.csla.UpdateRule;

/**
 * How many float32 numbers an update cannot but read and write for each element: SGD with momentum
 * reads parameter, gradient and buffer and writes parameter and buffer; AdamW has two buffers. An
 * update that keeps its Grad Mult as a mask as large as the weights reads that as well.
 *
 * @param read numbers read
 * @param written numbers written
 */
record Streams(int read, int written) {
  static Streams of(UpdateRule rule, boolean mask) {
    int buffers = rule == UpdateRule.SGD ? 1 : 2;
    return new Streams(2 + buffers + (mask ? 1 : 0), 1 + buffers);
  }

  /** Bytes for so many elements. */
  long bytes(long elements) {
    return elements * Float.BYTES * (read + written);
  }
}
