package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkNotNull;

import java.nio.file.Path;

/**
 * What is trained on.
 *
 * @param data the data set's name ({@code --data})
 * @param dataDir the folder that holds its files, or null for a data set that needs none ({@code
 *     --data-dir})
 * @param batchSize images a training step and, for the batch statistics, a forward pass ({@code
 *     --batch-size})
 * @param valBatchSize images a forward pass of evaluation ({@code --val-batch-size})
 * @param workers threads that prepare batches beside training ({@code --workers})
 * @param noAug train on the images as they are, without crop and flip ({@code --no-aug})
 * @param noFlip crop, but do not mirror: for letters and other things that a mirror changes ({@code
 *     --no-flip})
 */
public record DataSettings(
    String data,
    Path dataDir,
    int batchSize,
    int valBatchSize,
    int workers,
    boolean noAug,
    boolean noFlip) {

  /** Checks the numbers. */
  public DataSettings {
    checkNotNull(data, "data");
    checkArgument(
        batchSize >= 2,
        "--batch-size must be at least 2 (batch normalization needs two images), got: %s",
        batchSize);
    checkArgument(batchSize <= 1 << 16, "--batch-size must be at most 65536, got: %s", batchSize);
    checkArgument(
        valBatchSize >= 1 && valBatchSize <= 1 << 16,
        "--val-batch-size must be from 1 to 65536, got: %s",
        valBatchSize);
    checkArgument(
        workers >= 1 && workers <= 256, "--workers must be from 1 to 256, got: %s", workers);
  }
}
