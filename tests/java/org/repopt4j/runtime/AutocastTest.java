package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

class AutocastTest {
  private final Tensor input = Tensors.ones(ScalarType.Float, Tensors.cpu(), 1, 2, 4, 4);
  private final Tensor weight = Tensors.ones(ScalarType.Float, Tensors.cpu(), 3, 2, 3, 3);

  private ScalarType typeOfConvolution() {
    return torch.conv2d(input, weight).scalar_type().intern();
  }

  private static boolean enabled() {
    return torch.is_autocast_enabled(DeviceType.CPU);
  }

  private static Autocast bf16() {
    return Autocast.bf16(ComputeDevice.cpu());
  }

  @Test
  void convolutionsAreBfloat16InsideOnly() {
    assertEquals(ScalarType.Float, typeOfConvolution());
    try (Autocast autocast = bf16()) {
      assertEquals(ScalarType.BFloat16, typeOfConvolution());
    }
    assertEquals(ScalarType.Float, typeOfConvolution());
    assertFalse(enabled());
  }

  @Test
  void nestedRegionsRestoreWhatWasSetBefore() {
    try (Autocast outer = bf16()) {
      try (Autocast inner = bf16()) {
        assertTrue(enabled());
      }
      assertTrue(enabled(), "the inner region must not switch the outer one off");
      assertEquals(ScalarType.BFloat16, typeOfConvolution());
    }
    assertFalse(enabled());
  }

  @Test
  void theTypeIsRestoredToo() {
    ScalarType before = torch.get_autocast_dtype(DeviceType.CPU).intern();
    torch.set_autocast_dtype(DeviceType.CPU, ScalarType.Half);
    try {
      try (Autocast autocast = bf16()) {
        assertEquals(ScalarType.BFloat16, typeOfConvolution());
      }
      assertEquals(ScalarType.Half, torch.get_autocast_dtype(DeviceType.CPU).intern());
    } finally {
      torch.set_autocast_dtype(DeviceType.CPU, before);
    }
  }

  @Test
  void stateIsRestoredAfterAnException() {
    assertThrows(
        RuntimeException.class,
        () -> {
          try (Autocast autocast = bf16()) {
            torch.conv2d(weight, input);
          }
        });
    assertFalse(enabled());
    assertEquals(ScalarType.Float, typeOfConvolution());
  }

  @Test
  void aRegionSeesTheWeightsAsTheyAreNow() {
    weight.requires_grad_(true);
    for (float value : new float[] {1, 2}) {
      try (NoGrad noGrad = NoGrad.open()) {
        weight.fill_(Tensors.of(new float[] {value}));
      }
      try (Autocast autocast = bf16()) {
        float[] output = Tensors.toFloats(torch.conv2d(input, weight));
        assertEquals(18 * value, output[0]);
      }
    }
  }

  @Test
  void otherThreadsAreNotTouched() throws InterruptedException {
    ScalarType[] type = new ScalarType[1];
    try (Autocast autocast = bf16()) {
      Thread thread = new Thread(() -> type[0] = typeOfConvolution());
      thread.start();
      thread.join();
    }
    assertEquals(ScalarType.Float, type[0]);
  }
}
