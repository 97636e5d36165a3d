package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.regex.Pattern;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Natives;
import org.repopt4j.train.RunSettings.Precision;
import picocli.CommandLine.Option;

/** Where and in which number format to compute. */
final class ComputeOptions {
  private static final Pattern DEVICES =
      Pattern.compile("auto|cpu|cuda(:\\d{1,3})?", Pattern.CASE_INSENSITIVE);

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description = "auto, cpu, cuda or cuda:N (default: ${DEFAULT-VALUE}).")
  private String device = "auto";

  @Option(
      names = "--precision",
      paramLabel = "FORMAT",
      description =
          "fp32, or for convolutions and matrix products tf32 (on CUDA), bf16, or fp16 with a"
              + " gradient scale (default: ${DEFAULT-VALUE}).")
  private String precision = "fp32";

  @Option(
      names = "--channels-last",
      description = "Lay images and kernels out with their channels last in memory.")
  private boolean channelsLast;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of one operator (default: 0, all processors).")
  private int threads;

  String device() {
    checkDevice(device);
    return device;
  }

  /** Refuses what is no device's name, before anything is loaded. */
  static void checkDevice(String device) {
    checkArgument(
        DEVICES.matcher(device.trim()).matches(),
        "--device must be auto, cpu, cuda or cuda:N, got: '%s'",
        device);
  }

  Precision precision() {
    return Choice.of("--precision", Precision.class, precision);
  }

  boolean channelsLast() {
    return channelsLast;
  }

  int threads() {
    checkArgument(
        threads >= 0 && threads <= 1024,
        "--threads must be from 1 to 1024, or 0 for all processors, got: %s",
        threads);
    return threads;
  }

  /** Sets the threads and finds the device. */
  ComputeDevice open() {
    if (threads() > 0) {
      Natives.threads(threads);
    }
    return ComputeDevice.of(device());
  }
}
