package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;

import org.repopt4j.data.Augmentation;
import org.repopt4j.data.BadSamples;
import org.repopt4j.data.BatchLoader;
import org.repopt4j.data.LoaderOptions;
import org.repopt4j.data.Split;
import org.repopt4j.runtime.ComputeDevice;

/** The batches that a run trains on, and those that it is evaluated on. */
record DataLoaders(BatchLoader train, BatchLoader test) {
  /** Batches that are ready beside the one in use, at least; one for each worker, at least. */
  private static final int PREFETCH = 2;

  /**
   * The loaders of these settings.
   *
   * @throws IllegalArgumentException if the settings ask for more images than an epoch has
   */
  static DataLoaders of(
      TrainConfig config, Split data, ComputeDevice device, BadSamples badSamples) {
    DataSettings settings = config.data();
    checkArgument(
        data.train().size() >= settings.batchSize(),
        "--batch-size %s is larger than the training set of %s images; lower it",
        settings.batchSize(),
        data.train().size());
    LoaderOptions training =
        LoaderOptions.training(
            settings.batchSize(),
            config.run().seed(),
            augmentation(settings, data.train().augmentation()));
    int ahead = Math.max(PREFETCH, settings.workers());
    BatchLoader train =
        new BatchLoader(data.train(), training.withWorkers(settings.workers(), ahead), badSamples)
            .on(device);
    checkArgument(
        config.optim().gradAccumSteps() <= train.batchesPerEpoch(),
        "--grad-accum-steps %s is more than the %s batches of an epoch, so no step would ever be"
            + " made; lower it",
        config.optim().gradAccumSteps(),
        train.batchesPerEpoch());
    BatchLoader test =
        new BatchLoader(
                data.test(),
                LoaderOptions.evaluation(settings.valBatchSize())
                    .withWorkers(settings.workers(), ahead),
                badSamples)
            .on(device);
    return new DataLoaders(train, test);
  }

  private static Augmentation augmentation(DataSettings settings, Augmentation usual) {
    if (settings.noAug()) {
      return Augmentation.NONE;
    }
    return settings.noFlip() ? usual.withoutFlip() : usual;
  }
}
