package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;

import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ComputeDeviceTest {
  @ParameterizedTest
  @ValueSource(strings = {"cpu", "CPU", " cpu "})
  void theCpuIsAlwaysThere(String spec) {
    ComputeDevice device = ComputeDevice.of(spec);
    assertEquals("cpu", device.name());
    assertEquals("cpu", device.toString());
    assertEquals("asked for", device.reason());
    assertFalse(device.isCuda());
    assertTrue(Tensors.ones(ScalarType.Float, device.device(), 1).is_cpu());
  }

  @Test
  void autoIsTheCpuWhereThereIsNoCuda() {
    assumeFalse(torch.cuda_is_available(), "needs a machine without CUDA");
    ComputeDevice device = ComputeDevice.of("auto");
    assertEquals("cpu", device.name());
    assertFalse(device.isCuda());
    assertTrue(device.reason().contains("no CUDA device"), device.reason());
  }

  @ParameterizedTest
  @ValueSource(strings = {"cuda", "cuda:0", "CUDA:1"})
  void cudaIsRefusedWhereThereIsNone(String spec) {
    assumeFalse(torch.cuda_is_available(), "needs a machine without CUDA");
    assertRefused(() -> ComputeDevice.of(spec), "'" + spec + "'", "no CUDA device", "--device cpu");
  }

  @Test
  @Tag("gpu")
  void cudaIsTakenWhereItIs() {
    assumeTrue(torch.cuda_is_available(), "needs CUDA");
    for (String spec : new String[] {"auto", "cuda", "cuda:0"}) {
      ComputeDevice device = ComputeDevice.of(spec);
      assertEquals("cuda:0", device.name());
      assertTrue(device.isCuda());
      assertTrue(Tensors.ones(ScalarType.Float, device.device(), 1).is_cuda());
    }
  }

  @Test
  @Tag("gpu")
  void aCudaDeviceThatIsNotThereIsRefused() {
    assumeTrue(torch.cuda_is_available(), "needs CUDA");
    int count = torch.cuda_device_count();
    for (int index : new int[] {count, 127, 128, 256, 999}) {
      String spec = "cuda:" + index;
      assertRefused(() -> ComputeDevice.of(spec), "'" + spec + "'", "cuda:" + (count - 1));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:1234", "cuda 0", "cpu:0"})
  void anythingElseIsRefused(String spec) {
    assertRefused(() -> ComputeDevice.of(spec), "auto, cpu, cuda or cuda:N", "'" + spec + "'");
  }

  @Test
  void aDeviceOutlivesTheScopeItWasMadeIn() {
    ComputeDevice device;
    try (StepScope scope = StepScope.open()) {
      device = ComputeDevice.of("cpu");
    }
    assertTrue(Tensors.ones(ScalarType.Float, device.device(), 1).is_cpu());
  }
}
