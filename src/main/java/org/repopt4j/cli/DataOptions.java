package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import java.nio.file.Path;
import org.repopt4j.data.DataSets;
import picocli.CommandLine.Option;

/** Which images. */
final class DataOptions {
  @Option(
      names = "--data",
      paramLabel = "NAME",
      description = "digits (in the jar), cifar10 or cifar100 (default: ${DEFAULT-VALUE}).")
  private String data = "digits";

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      description = "Folder with the files of cifar10 or cifar100.")
  Path dataDir;

  @Option(
      names = "--val-batch-size",
      paramLabel = "N",
      description = "Images a forward pass of evaluation (default: the batch size, at least 128).")
  private Integer valBatchSize;

  String data() {
    return Choice.oneOf("--data", DataSets.names(), data);
  }

  int valBatch(int batch) {
    if (valBatchSize == null) {
      return Math.max(128, batch);
    }
    int size = valBatchSize;
    checkArgument(
        size >= 1 && size <= 1 << 16, "--val-batch-size must be from 1 to 65536, got: %s", size);
    return size;
  }
}
