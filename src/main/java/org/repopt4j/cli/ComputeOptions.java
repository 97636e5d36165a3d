package org.repopt4j.cli;

import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Natives;
import org.repopt4j.train.RunSettings.Precision;
import picocli.CommandLine.Option;

/** Where and in which number format to compute. */
final class ComputeOptions {
  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description = "auto, cpu, cuda or cuda:N (default: ${DEFAULT-VALUE}).")
  String device = "auto";

  @Option(
      names = "--precision",
      paramLabel = "FORMAT",
      description = "fp32 or bf16 (default: ${DEFAULT-VALUE}).")
  Precision precision = Precision.FP32;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of one operator (default: all processors).")
  int threads;

  /** Sets the threads and finds the device. */
  ComputeDevice open() {
    if (threads > 0) {
      Natives.threads(threads);
    }
    return ComputeDevice.of(device);
  }
}
