package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;

import java.util.Arrays;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NativesTest {
  private final int threads = Natives.threads();

  @AfterEach
  void restore() {
    Natives.threads(threads);
    Natives.deterministic(false);
  }

  @Test
  void threadsAreSetAndReadBack() {
    for (int value : new int[] {1, 3, 2}) {
      Natives.threads(value);
      assertEquals(value, Natives.threads());
      assertEquals(value, torch.get_num_threads());
    }
  }

  @Test
  void loadingAgainKeepsTheThreads() {
    Natives.threads(3);
    Natives.load();
    assertEquals(3, Natives.threads());
  }

  @Test
  void refusesThreadsBelowOne() {
    assertRefused(() -> Natives.threads(0), "at least 1", "got: 0");
    assertRefused(() -> Natives.threads(-4), "at least 1", "got: -4");
    assertEquals(threads, Natives.threads());
  }

  @Test
  void deterministicIsSwitchedOnAndOff() {
    Natives.deterministic(true);
    assertTrue(torch.globalContext().deterministicAlgorithms());
    assertTrue(torch.globalContext().deterministicCuDNN());
    assertFalse(torch.globalContext().benchmarkCuDNN());
    Natives.deterministic(false);
    assertFalse(torch.globalContext().deterministicAlgorithms());
    assertFalse(torch.globalContext().deterministicCuDNN());
    assertTrue(torch.globalContext().benchmarkCuDNN(), "cuDNN tries out what is fastest");
  }

  @Test
  void trialsOfAlgorithmsAreSwitchedOffAndOn() {
    Natives.autotune(false);
    assertFalse(torch.globalContext().benchmarkCuDNN());
    assertFalse(torch.globalContext().deterministicCuDNN());
    Natives.autotune(true);
    assertTrue(torch.globalContext().benchmarkCuDNN());
  }

  @Test
  void aSeedRepeatsTheDraws() {
    Natives.manualSeed(42);
    float[] first = Tensors.toFloats(torch.rand(8));
    float[] second = Tensors.toFloats(torch.rand(8));
    assertFalse(Arrays.equals(first, second));
    Natives.manualSeed(42);
    assertArrayEquals(first, Tensors.toFloats(torch.rand(8)));
    assertArrayEquals(second, Tensors.toFloats(torch.rand(8)));
    Natives.manualSeed(43);
    assertFalse(Arrays.equals(first, Tensors.toFloats(torch.rand(8))));
  }
}
