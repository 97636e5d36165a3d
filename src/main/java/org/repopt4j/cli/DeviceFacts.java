package org.repopt4j.cli;

import com.google.common.base.Ascii;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.CudaStatus;
import org.repopt4j.runtime.NativeErrors;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * What {@code repopt doctor} says of the device that jobs will take: which, why, and whether it
 * computes.
 */
final class DeviceFacts {
  private final Map<String, Object> facts = new LinkedHashMap<>();
  private boolean healthy = true;

  private DeviceFacts() {}

  /**
   * Tries a device.
   *
   * @param spec as of {@code --device}
   */
  static DeviceFacts of(String spec) {
    DeviceFacts devices = new DeviceFacts();
    boolean wantsCuda = Ascii.toLowerCase(spec.trim()).startsWith("cuda");
    CudaStatus status = CudaStatus.ofThisProcess();
    if (wantsCuda && !status.usable()) {
      devices.facts.put("usable", false);
      devices.facts.put("why not", status.reason());
      devices.healthy = false;
      return devices;
    }
    ComputeDevice device = ComputeDevice.of(spec);
    devices.facts.put("usable", true);
    devices.facts.put("jobs take", device.name());
    devices.facts.put("because", device.reason());
    devices.tryOut(device);
    return devices;
  }

  private void tryOut(ComputeDevice device) {
    tryOut("matrix products", () -> product(device));
    tryOut("convolutions", () -> convolution(device));
  }

  private void tryOut(String feature, Runnable work) {
    Optional<String> failure = Optional.empty();
    try (StepScope scope = StepScope.open()) {
      work.run();
    } catch (RuntimeException e) {
      failure = Optional.of(NativeErrors.sentence(e));
      healthy = false;
    }
    facts.put(feature, failure.map(sentence -> "fail: " + sentence).orElse("work"));
  }

  /** A product of small whole numbers, which every number format computes exactly. */
  private static void product(ComputeDevice device) {
    Tensor ones = Tensors.ones(ScalarType.Float, device.device(), 64, 64);
    expect(64L * 64 * 64, ones.matmul(ones).sum().item_double());
  }

  /** Forward and backward: the gradient of a sum counts the pixels that a weight meets. */
  private static void convolution(ComputeDevice device) {
    Tensor image = Tensors.ones(ScalarType.Float, device.device(), 1, 2, 16, 16);
    Tensor weight =
        Tensors.ones(ScalarType.Float, device.device(), 4, 2, 1, 1).requires_grad_(true);
    Tensor sum = torch.conv2d(image, weight).sum();
    sum.backward();
    expect(4L * 2 * 256, sum.item_double());
    expect(4L * 2 * 256, weight.grad().sum().item_double());
  }

  private static void expect(long expected, double actual) {
    if (actual != expected) {
      throw new IllegalStateException("computed " + actual + " instead of " + expected);
    }
  }

  /** The facts in the order in which they are printed. */
  Map<String, Object> map() {
    return facts;
  }

  /** Whether the device is there and computes. */
  boolean healthy() {
    return healthy;
  }
}
