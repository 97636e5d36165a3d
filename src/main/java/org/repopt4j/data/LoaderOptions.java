package org.repopt4j.data;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkNotNull;

/**
 * How a {@link BatchLoader} makes batches of a data set.
 *
 * @param batchSize images of a batch, at least 1; with shards, of one shard's batch
 * @param seed decides, with the epoch, on order and augmentation
 * @param shuffle whether each epoch has a random order of its own
 * @param dropLast whether a last batch of fewer images is left out (the official training loader
 *     does so)
 * @param augmentation what happens to each image before it is normalised
 * @param workers threads that make batches, at least 1
 * @param prefetch batches made ahead of the one in hand, at least {@code workers}
 * @param shard which share of every epoch this loader gives, 0 to {@code shards - 1}
 * @param shards in how many shares an epoch is divided, at least 1; one for each process of a
 *     distributed run
 */
public record LoaderOptions(
    int batchSize,
    long seed,
    boolean shuffle,
    boolean dropLast,
    Augmentation augmentation,
    int workers,
    int prefetch,
    int shard,
    int shards) {

  /** Checks the numbers. */
  public LoaderOptions {
    checkArgument(batchSize >= 1, "batchSize must be at least 1, got: %s", batchSize);
    checkNotNull(augmentation, "augmentation");
    checkArgument(workers >= 1, "workers must be at least 1, got: %s", workers);
    checkArgument(
        prefetch >= workers,
        "prefetch must be at least the number of workers (%s), or some have nothing to do, got: %s",
        workers,
        prefetch);
    checkArgument(shards >= 1, "shards must be at least 1, got: %s", shards);
    checkArgument(
        shard >= 0 && shard < shards, "shard must be from 0 to %s, got: %s", shards - 1, shard);
  }

  /** Random order, augmentation, whole batches only. */
  public static LoaderOptions training(int batchSize, long seed, Augmentation augmentation) {
    return new LoaderOptions(batchSize, seed, true, true, augmentation, 1, 2, 0, 1);
  }

  /** Every image once, as it is, in the data set's order. */
  public static LoaderOptions evaluation(int batchSize) {
    return new LoaderOptions(batchSize, 0, false, false, Augmentation.NONE, 1, 2, 0, 1);
  }

  /** The same with another number of threads and of batches made ahead. */
  public LoaderOptions withWorkers(int threads, int ahead) {
    return new LoaderOptions(
        batchSize, seed, shuffle, dropLast, augmentation, threads, ahead, shard, shards);
  }

  /**
   * The same for one share of each epoch. Step s of all shards together has the images of step s of
   * an undivided loader whose batches are {@code count} times as large, augmented in the same way.
   */
  public LoaderOptions withShard(int index, int count) {
    return new LoaderOptions(
        batchSize, seed, shuffle, dropLast, augmentation, workers, prefetch, index, count);
  }
}
