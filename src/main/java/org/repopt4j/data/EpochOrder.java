package org.repopt4j.data;

/** The order in which the samples of a data set are seen in one epoch. */
final class EpochOrder {
  /** Samples have the streams from 0 on. */
  private static final long SHUFFLE_STREAM = -1;

  private EpochOrder() {}

  /** The numbers from 0 to {@code size - 1} as they are. */
  static int[] plain(int size) {
    int[] order = new int[size];
    for (int i = 0; i < size; i++) {
      order[i] = i;
    }
    return order;
  }

  /** A uniformly random permutation of them (Fisher-Yates), a pure function of the arguments. */
  static int[] shuffled(int size, long seed, long epoch) {
    int[] order = plain(size);
    SplitMix64 random = SplitMix64.of(seed, epoch, SHUFFLE_STREAM);
    for (int i = size - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    return order;
  }
}
