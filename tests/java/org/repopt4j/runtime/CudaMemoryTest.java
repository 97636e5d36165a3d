package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.repopt4j.testkit.TestDevice;

class CudaMemoryTest {
  private static final long BYTES = 64 << 20;

  @Test
  void aCpuHasNone() {
    CudaMemory.resetPeak(ComputeDevice.cpu());
    CudaMemory.giveBack(ComputeDevice.cpu());
    assertEquals(Optional.empty(), CudaMemory.peak(ComputeDevice.cpu()));
  }

  @Test
  @Tag("gpu")
  void thePeakIsWhatTensorsHeldAtOnce() {
    TestDevice.get();
    ComputeDevice device = ComputeDevice.of("cuda");
    CudaMemory.giveBack(device);
    CudaMemory.resetPeak(device);
    long before = CudaMemory.peak(device).orElseThrow().allocated();
    for (int time = 0; time < 3; time++) {
      try (StepScope scope = StepScope.open()) {
        Tensors.zeros(ScalarType.Byte, device.device(), BYTES);
      }
    }
    CudaMemory.Peak peak = CudaMemory.peak(device).orElseThrow();
    assertEquals(before + BYTES, peak.allocated());
    assertTrue(peak.reserved() >= peak.allocated(), peak::toString);
    CudaMemory.resetPeak(device);
    assertEquals(before, CudaMemory.peak(device).orElseThrow().allocated());
  }
}
