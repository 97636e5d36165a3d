package org.repopt4j.runtime;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Ascii;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;

/** The device that a job runs on and, for people, why it is that one. */
public final class ComputeDevice {
  private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,3}))?");

  private final Device device;
  private final String name;
  private final String reason;

  private ComputeDevice(Device device, String name, String reason) {
    this.device = Retained.retain(device);
    this.name = name;
    this.reason = reason;
  }

  /** Ordinary memory and processors. */
  public static ComputeDevice cpu() {
    return new ComputeDevice(Tensors.cpu(), "cpu", "asked for");
  }

  /**
   * Reads a device's name.
   *
   * @param spec {@code cpu}, {@code cuda}, {@code cuda:N}, or {@code auto}: CUDA where it works,
   *     otherwise the CPU
   * @throws IllegalArgumentException if the name is none of these, or names a CUDA device that is
   *     not there
   */
  public static ComputeDevice of(String spec) {
    Natives.load();
    String lower = Ascii.toLowerCase(spec.trim());
    Matcher cuda = CUDA.matcher(lower);
    if (lower.equals("cpu")) {
      return cpu();
    }
    if (lower.equals("auto")) {
      CudaStatus status = CudaStatus.ofThisProcess();
      return status.usable()
          ? cuda(0, status.reason())
          : new ComputeDevice(Tensors.cpu(), "cpu", status.reason());
    }
    checkArgument(cuda.matches(), "device must be auto, cpu, cuda or cuda:N, got: '%s'", spec);
    CudaStatus status = CudaStatus.ofThisProcess();
    checkArgument(
        status.usable(),
        "device '%s' was asked for, but %s; 'repopt doctor --device cuda' shows more, --device cpu does without",
        spec,
        status.reason());
    int index = cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1));
    int count = torch.cuda_device_count();
    checkArgument(
        index < count,
        "device '%s' was asked for, but the last CUDA device here is cuda:%s",
        spec,
        count - 1);
    return cuda(index, "asked for");
  }

  private static ComputeDevice cuda(int index, String reason) {
    return new ComputeDevice(new Device(DeviceType.CUDA, (byte) index), "cuda:" + index, reason);
  }

  /** libtorch's name of the device. */
  public Device device() {
    return device;
  }

  /** {@code cpu} or {@code cuda:N}. */
  public String name() {
    return name;
  }

  /** Why this device: asked for, or found. */
  public String reason() {
    return reason;
  }

  /** Whether it is a CUDA device. */
  public boolean isCuda() {
    return name.startsWith("cuda");
  }

  /** Waits until the device has done all that it was asked for. */
  public void await() {
    if (isCuda()) {
      torch.cuda_synchronize(device.index());
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
