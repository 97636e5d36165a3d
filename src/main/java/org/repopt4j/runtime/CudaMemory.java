package org.repopt4j.runtime;

import java.util.Optional;
import org.bytedeco.pytorch.cuda.DeviceStats;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;

/**
 * What libtorch's caching allocator says of a CUDA device's memory; nothing for a CPU, whose memory
 * is {@link ProcessMemory}'s.
 */
public final class CudaMemory {
  private CudaMemory() {}

  /**
   * The most bytes at once since the process began or since {@link #resetPeak}.
   *
   * @param allocated held by tensors
   * @param reserved taken from the device, those that the allocator keeps for later included
   */
  public record Peak(long allocated, long reserved) {}

  /** The peak; empty for a CPU, or where the presets' CUDA classes do not load. */
  public static Optional<Peak> peak(ComputeDevice device) {
    if (!device.isCuda()) {
      return Optional.empty();
    }
    begin();
    try (StepScope scope = StepScope.open();
        DeviceStats stats = torch.getDeviceStats(device.device().index())) {
      return Optional.of(new Peak(stats.allocated_bytes().peak(), stats.reserved_bytes().peak()));
    } catch (LinkageError e) {
      return Optional.empty();
    }
  }

  /** Begins the measurement of the peak anew; nothing for a CPU. */
  public static void resetPeak(ComputeDevice device) {
    if (device.isCuda()) {
      begin();
      torch.resetPeakStats(device.device().index());
    }
  }

  /**
   * Before a process's first tensor on CUDA the allocator has no device to speak of, and throws.
   */
  private static void begin() {
    torch.globalContext().lazyInitDevice(DeviceType.CUDA);
  }

  /** Gives memory that no tensor holds back to the device; nothing for a CPU. */
  public static void giveBack(ComputeDevice device) {
    if (device.isCuda()) {
      torch.emptyCache();
    }
  }
}
