package org.repopt4j.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.TensorAsserts;

class NormalizationTest {
  @Test
  void isBitEqualToTheOperationsOfTorchvision() {
    for (Normalization normalization :
        ImmutableList.of(Normalization.CIFAR100, Normalization.CIFAR10, Digits.NORMALIZATION)) {
      float[] ours = new float[3 * 256];
      float[] bytes = new float[3 * 256];
      for (int channel = 0; channel < 3; channel++) {
        for (int value = 0; value < 256; value++) {
          bytes[channel * 256 + value] = value;
          ours[channel * 256 + value] = normalization.apply(channel, value);
        }
      }
      try (StepScope scope = StepScope.open()) {
        Tensor expected =
            Tensors.of(bytes, 3, 16, 16)
                .div(new Scalar(255))
                .sub_(column(normalization.mean()))
                .div_(column(normalization.std()));
        TensorAsserts.assertBitEqual(
            normalization.toString(), expected, Tensors.of(ours, 3, 16, 16));
      }
    }
  }

  private static Tensor column(List<Double> values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i).floatValue();
    }
    return Tensors.of(floats, floats.length, 1, 1);
  }

  @Test
  void hasTheOfficialNumbersOfCifar100() {
    // Computed by Python with torch 1.13: ((torch.tensor(v) / 255) - mean) / std, in float32.
    assertEquals(Float.intBitsToFloat(0xbff2c9c9), Normalization.CIFAR100.apply(0, 0));
    assertEquals(Float.intBitsToFloat(0x3d762b62), Normalization.CIFAR100.apply(1, 128));
    assertEquals(Float.intBitsToFloat(0x40019254), Normalization.CIFAR100.apply(2, 255));
  }

  @Test
  void refusesNumbersThatDoNotFit() {
    assertMessage(
        "one value for each channel", () -> Normalization.of(new double[] {0.5}, new double[0]));
    assertMessage(
        "std must be finite and greater than 0, got: [0.0]",
        () -> Normalization.of(new double[] {0.5}, new double[] {0}));
    assertMessage(
        "mean must be finite, got: [NaN]",
        () -> Normalization.of(new double[] {Double.NaN}, new double[] {1}));
  }

  private static void assertMessage(String part, Runnable action) {
    String message = assertThrows(IllegalArgumentException.class, action::run).getMessage();
    assertTrue(message.contains(part), message);
  }
}
