package org.repopt4j.runtime;

import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Mixed precision on this thread until it is closed, like Python's {@code torch.autocast}. */
public final class Autocast implements AutoCloseable {
  private final DeviceType type;
  private final boolean enabledBefore;
  private final ScalarType dtypeBefore;

  private Autocast(DeviceType type, ScalarType dtype) {
    this.type = type;
    this.enabledBefore = torch.is_autocast_enabled(type);
    this.dtypeBefore = torch.get_autocast_dtype(type);
    torch.set_autocast_dtype(type, dtype);
    torch.set_autocast_enabled(type, true);
    torch.increment_nesting();
  }

  /** Computes matrix products and convolutions in bfloat16 on this device. */
  public static Autocast bf16(ComputeDevice device) {
    return of(device, ScalarType.BFloat16);
  }

  /**
   * Computes matrix products and convolutions in this format on this device.
   *
   * @param format bfloat16 or float16 ({@code Half})
   */
  public static Autocast of(ComputeDevice device, ScalarType format) {
    Natives.load();
    return new Autocast(device.isCuda() ? DeviceType.CUDA : DeviceType.CPU, format);
  }

  @Override
  public void close() {
    // The outermost region drops the cached low-precision copies of the weights: the optimizer is
    // about to change them.
    if (torch.decrement_nesting() == 0) {
      torch.clear_cache();
    }
    torch.set_autocast_enabled(type, enabledBefore);
    torch.set_autocast_dtype(type, dtypeBefore);
  }
}
