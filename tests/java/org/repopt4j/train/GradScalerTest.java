package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.repopt4j.testkit.Refusals.assertRefused;

import java.util.Random;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.repopt4j.runtime.Operators;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

class GradScalerTest {
  /** The operator behind {@code torch.amp.GradScaler.update}, with that class's defaults. */
  private static void update(Tensor scale, Tensor tracker, boolean overflow) {
    Operators.call(
        "aten::_amp_update_scale_",
        "",
        Operators.value(scale),
        Operators.value(tracker),
        Operators.value(Tensors.of(new float[] {overflow ? 1 : 0}, 1)),
        Operators.value(2.0),
        Operators.value(0.5),
        new IValue(2000L));
  }

  @Test
  void itGoesAsTorchsOwn() {
    Random random = new Random(5);
    GradScaler scaler = GradScaler.START;
    assertEquals(65536, scaler.scale());
    try (StepScope scope = StepScope.open()) {
      Tensor scale = Tensors.of(new float[] {65536}, 1);
      Tensor tracker = Tensors.zeros(ScalarType.Int, Tensors.cpu(), 1);
      for (int step = 0; step < 20_000; step++) {
        boolean overflow = random.nextInt(1500) == 0;
        scaler = scaler.after(overflow);
        try (StepScope inner = StepScope.open()) {
          update(scale, tracker, overflow);
          int at = step;
          assertEquals(scale.item_float(), scaler.scale(), () -> "scale after step " + at);
          assertEquals(tracker.item_int(), scaler.goodSteps(), () -> "steps after step " + at);
        }
      }
    }
  }

  @Test
  void theScaleStaysAFloat() {
    GradScaler largest = new GradScaler(0x1p127, GradScaler.INTERVAL - 1);
    assertEquals(new GradScaler(0x1p127, 0), largest.after(false));
  }

  @Test
  void whatIsNoScaleIsRefused() {
    assertRefused(() -> new GradScaler(0, 0), "gradient scale", "0.0");
    assertRefused(() -> new GradScaler(Double.NaN, 0), "gradient scale", "NaN");
    assertRefused(() -> new GradScaler(1, 2000), "2000");
  }
}
