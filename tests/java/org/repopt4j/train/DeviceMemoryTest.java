package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.repopt4j.csla.GradMults;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.nn.Scales;
import org.repopt4j.optim.ParameterGroups;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.runtime.NativeErrors;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.DeviceMemory;
import org.repopt4j.testkit.TestDevice;

/** What a long training and a failed allocation leave in the memory of a GPU. */
@Tag("gpu")
class DeviceMemoryTest {
  private static final Architecture TINY =
      Architecture.custom(
          List.of(1, 2, 2, 1), List.of(0.125, 0.125, 0.125, 0.125), List.of(2, 2, 2, 2, 2));
  private static final long MEBIBYTE = 1 << 20;

  /** A small training, step by step, on images and labels that stay on the device. */
  private static final class Training {
    private final Network network = TINY.target(10);
    private final RepOptimizer optimizer;
    private final Tensor images;
    private final Tensor labels;

    Training() {
      network.to(TestDevice.get(), /* non_blocking= */ false);
      GradMults mults = network.reinitialize(scales());
      optimizer =
          RepOptimizer.sgd(ParameterGroups.official(network.namedParameters(), 1e-4))
              .lr(0.01)
              .momentum(0.9)
              .gradMults(mults)
              .build();
      images = Tensors.ones(ScalarType.Float, TestDevice.get(), 8, 3, 32, 32);
      labels = TestDevice.on(Tensors.of(new long[] {0, 1, 2, 3, 4, 5, 6, 7}, 8));
    }

    private static Scales scales() {
      try (StepScope scope = StepScope.open()) {
        return Scales.of(TINY.build(Mode.HS, 10));
      }
    }

    double step() {
      try (StepScope scope = StepScope.open()) {
        Tensor loss = Losses.crossEntropy(network.forward(images), labels, /* smoothing= */ 0.1);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss.item_float();
      }
    }
  }

  @Test
  void twoThousandStepsTakeNoMoreMemoryThanFifty() throws IOException, InterruptedException {
    Training training = new Training();
    double loss = 0;
    long afterFifty = 0;
    for (int step = 1; step <= 2000; step++) {
      loss = training.step();
      if (step == 50) {
        afterFifty = DeviceMemory.used();
      }
    }
    long grown = DeviceMemory.used() - afterFifty;
    // The driver counts in mebibytes; a process on the CPU breathes with Java's own memory.
    long bound = TestDevice.isCuda() ? 4 * MEBIBYTE : 96 * MEBIBYTE;
    assertTrue(grown <= bound, "grew by " + grown / MEBIBYTE + " MiB in 1,950 steps");
    assertTrue(Double.isFinite(loss), "loss is " + loss);
  }

  @Test
  void anAllocationThatFailsLeavesTheProcessUsable() {
    Training training = new Training();
    training.step();
    for (int time = 0; time < 3; time++) {
      Exception refused = assertThrows(RuntimeException.class, DeviceMemoryTest::useUp);
      assertTrue(NativeErrors.isOutOfMemory(refused), () -> NativeErrors.sentence(refused));
      assertTrue(Double.isFinite(training.step()), "the step after the failure");
    }
  }

  /** Takes 4 GiB after 4 GiB until there is no more; on the CPU more than there is at once. */
  private static void useUp() {
    try (StepScope scope = StepScope.open()) {
      List<Tensor> taken = new ArrayList<>();
      long bytes = TestDevice.isCuda() ? 1L << 32 : 1L << 47;
      while (taken.size() < 1000) {
        taken.add(Tensors.zeros(ScalarType.Byte, TestDevice.get(), bytes));
      }
    }
  }
}
