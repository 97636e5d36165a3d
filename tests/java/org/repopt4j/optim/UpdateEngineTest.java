package org.repopt4j.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.TestDevice;

/** Both engines against {@link NaiveUpdate}, and against each other, on random optimizers. */
@Tag("device")
class UpdateEngineTest {
  @Property(tries = 100)
  void bothEnginesComputeTheFormulas(@ForAll long seed) {
    try (StepScope scope = StepScope.open()) {
      RandomOptimizer one = new RandomOptimizer(seed);
      List<double[]> expected = one.trainNaively();
      double tolerance = one.type == ScalarType.Double ? 1e-12 : 2e-5;
      for (Engine engine : Engine.values()) {
        List<Tensor> trained = one.train(engine);
        for (int i = 0; i < expected.size(); i++) {
          assertClose(
              engine + " " + one.options + " " + one.mult(i),
              expected.get(i),
              trained.get(i),
              tolerance);
        }
      }
    }
  }

  @Property(tries = 100)
  void theEnginesAgree(@ForAll long seed) {
    try (StepScope scope = StepScope.open()) {
      RandomOptimizer one = new RandomOptimizer(seed);
      List<Tensor> reference = one.train(Engine.REFERENCE);
      List<Tensor> multiTensor = one.train(Engine.MULTI_TENSOR);
      boolean exact = one.options.rule() == UpdateRule.ADAMW_EXACT;
      double ulp = one.type == ScalarType.Double ? Math.ulp(1.0) : Math.ulp(1.0f);
      for (int i = 0; i < reference.size(); i++) {
        double[] expected = Tensors.toDoubles(reference.get(i));
        double bound = TestDevice.bound(exact ? 4 * ulp : 0, 8 * ulp);
        assertClose("engines, " + one.options, expected, multiTensor.get(i), bound);
      }
    }
  }

  static void assertClose(String what, double[] expected, Tensor actual, double tolerance) {
    double[] values = Tensors.toDoubles(actual);
    assertEquals(expected.length, values.length, what);
    for (int e = 0; e < values.length; e++) {
      double bound = tolerance * Math.max(1, Math.abs(expected[e]));
      int at = e;
      assertTrue(
          Math.abs(values[e] - expected[e]) <= bound
              || (Double.isNaN(values[e]) && Double.isNaN(expected[e])),
          () -> what + ": element " + at + " is " + values[at] + ", expected " + expected[at]);
    }
  }
}
