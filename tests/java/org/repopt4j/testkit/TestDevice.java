package org.repopt4j.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.bytedeco.pytorch.Context;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Natives;

/**
 * The device of the tests that run on any: the CPU, or what the system property {@code
 * repopt.test.device} names. They carry the tag {@code device}, so that a GPU host can run just
 * them; tests that make sense on a GPU only carry the tag {@code gpu}.
 */
public final class TestDevice {
  private static final String SPEC = System.getProperty("repopt.test.device", "cpu");

  private TestDevice() {}

  /** The device; skips the test where it is a CUDA device and none can be used. */
  public static Device get() {
    Natives.load();
    if (isCuda()) {
      assumeTrue(torch.cuda_is_available(), "needs CUDA");
      Context context = torch.globalContext();
      context.setAllowTF32CuDNN(false); // float32 is compared with float32.
      context.setAllowTF32CuBLAS(false);
    }
    return ComputeDevice.of(SPEC).device();
  }

  /** Whether it is a CUDA device. */
  public static boolean isCuda() {
    return SPEC.startsWith("cuda");
  }

  /** The tensor on the device. */
  public static Tensor on(Tensor tensor) {
    return tensor.to(get(), tensor.scalar_type());
  }

  /** A bound that holds on the CPU, or the wider one of other kernels that sum in another order. */
  public static double bound(double onTheCpu, double elsewhere) {
    return isCuda() ? elsewhere : onTheCpu;
  }
}
