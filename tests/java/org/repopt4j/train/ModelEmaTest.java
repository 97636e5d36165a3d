package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.TinyRun;

class ModelEmaTest {
  private static Map<String, double[]> values(Network network) {
    Map<String, double[]> values = new LinkedHashMap<>();
    network.stateDict().forEach((name, tensor) -> values.put(name, Tensors.toDoubles(tensor)));
    return values;
  }

  /** Everything changes, the counters of the BNs too. */
  private static void change(Network network, double by) {
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      for (Tensor tensor : network.stateDict().values()) {
        tensor.add_(
            Tensors.of(new double[] {tensor.is_floating_point() ? by : 1}, 1)
                .squeeze()
                .to(tensor.device(), tensor.scalar_type()));
      }
    }
  }

  @Test
  void followsTheFormulaForParametersAndBuffers() {
    Natives.manualSeed(1);
    Network network = TinyRun.ARCHITECTURE.build(Mode.HS, 3);
    ModelEma ema = new ModelEma(network, TinyRun.ARCHITECTURE.build(Mode.HS, 3), 0.75);
    Map<String, double[]> expected = values(network);
    assertState(expected, ema.network());
    for (double by : new double[] {0.5, -2, 0.125}) {
      change(network, by);
      ema.update(network);
      Map<String, double[]> now = values(network);
      expected.forEach(
          (name, average) -> {
            for (int i = 0; i < average.length; i++) {
              average[i] =
                  name.endsWith("num_batches_tracked")
                      ? now.get(name)[i]
                      : 0.75 * average[i] + 0.25 * now.get(name)[i];
            }
          });
      assertState(expected, ema.network());
    }
    Map<String, double[]> average = values(ema.network());
    assertEquals(3, average.get("stage1.0.bn.num_batches_tracked")[0]);
    assertFalse(
        average.get("stage1.0.bn.running_mean")[0]
            == values(network).get("stage1.0.bn.running_mean")[0],
        "buffers are averaged, not copied");
  }

  private static void assertState(Map<String, double[]> expected, Network network) {
    Map<String, double[]> actual = values(network);
    assertEquals(expected.keySet(), actual.keySet());
    expected.forEach((name, values) -> assertArrayEquals(values, actual.get(name), 1e-6, name));
  }

  @Test
  void theNetworkIsLeftAlone() {
    Natives.manualSeed(2);
    Network network = TinyRun.ARCHITECTURE.target(3);
    ModelEma ema = new ModelEma(network, TinyRun.ARCHITECTURE.target(3), 0.5);
    change(network, 0.25);
    Map<String, double[]> before = values(network);
    ema.update(network);
    Map<String, double[]> after = values(network);
    before.forEach((name, values) -> assertArrayEquals(values, after.get(name), name));
  }
}
