package org.repopt4j.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which images. */
final class DataOptions {
  @Option(
      names = "--data",
      paramLabel = "NAME",
      description = "digits (in the jar), cifar10 or cifar100 (default: ${DEFAULT-VALUE}).")
  String data = "digits";

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      description = "Folder with the data set's files.")
  Path dataDir;

  @Option(
      names = "--val-batch-size",
      paramLabel = "N",
      description = "Images a forward pass of evaluation (default: the batch size, at least 128).")
  Integer valBatchSize;

  @Option(
      names = "--workers",
      paramLabel = "N",
      description = "Threads that prepare batches (default: ${DEFAULT-VALUE}).")
  int workers = 1;

  int valBatch(int batch) {
    return valBatchSize != null ? valBatchSize : Math.max(128, batch);
  }
}
