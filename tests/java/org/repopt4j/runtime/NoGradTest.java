package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class NoGradTest {
  @Test
  void resultsHaveNoGradientInside() {
    Tensor parameter = Tensors.of(new float[] {1}, 1);
    parameter.requires_grad_(true);
    try (NoGrad noGrad = NoGrad.open()) {
      assertFalse(parameter.add(parameter).requires_grad());
    }
    assertTrue(parameter.add(parameter).requires_grad());
  }

  @Test
  void nestedRegionsRestoreWhatWasSetBefore() {
    assertTrue(GradMode.is_enabled());
    try (NoGrad outer = NoGrad.open()) {
      try (NoGrad inner = NoGrad.open()) {
        assertFalse(GradMode.is_enabled());
      }
      assertFalse(GradMode.is_enabled(), "the inner region must not switch autograd on");
    }
    assertTrue(GradMode.is_enabled());
  }

  @Test
  void otherThreadsAreNotTouched() throws InterruptedException {
    boolean[] enabled = new boolean[1];
    try (NoGrad noGrad = NoGrad.open()) {
      Thread thread = new Thread(() -> enabled[0] = GradMode.is_enabled());
      thread.start();
      thread.join();
    }
    assertTrue(enabled[0]);
  }
}
