package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.ProcessMemory;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.JavaProcess;
import org.repopt4j.train.RunSettings.Precision;

/** What recomputation is for, in processes of their own. */
class RecomputeMemoryTest {
  /** Sixteen blocks of one size, 16 MiB an activation, two of them a block. */
  private static final Architecture DEEP =
      Architecture.custom(
          List.of(16, 1, 1, 1), List.of(0.5, 0.125, 0.125, 0.125), List.of(1, 1, 2, 2, 2));

  private static final long MEBIBYTE = 1 << 20;

  @TempDir Path folder;

  private long peak(boolean recompute) throws IOException, InterruptedException {
    Path out = folder.resolve("out");
    Process process =
        JavaProcess.withSteadyHeap("64m", RecomputeMemoryTest.class, Boolean.toString(recompute))
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    assertTrue(process.waitFor(5, TimeUnit.MINUTES), "it does not end");
    String text = Files.readString(out);
    assertEquals(0, process.exitValue(), text);
    return Long.parseLong(text.trim());
  }

  @Test
  void aStepTakesAQuarterLessMemoryAtLeast() throws IOException, InterruptedException {
    assumeTrue(ProcessMemory.peakResident().isPresent(), "needs Linux");
    long kept = peak(false) / MEBIBYTE;
    long recomputed = peak(true) / MEBIBYTE;
    System.out.printf("peak of a step: %d MiB, with recomputation %d MiB%n", kept, recomputed);
    assertTrue(kept > 2 * 16 * 16, () -> kept + " MiB: no network of 16 blocks was kept");
    assertTrue(recomputed < 0.75 * kept, () -> recomputed + " of " + kept + " MiB");
  }

  /**
   * Prints how much more than before it a step takes at its peak; a small one before it has loaded
   * everything, and left no freed memory to begin with.
   */
  public static void main(String[] args) {
    Natives.threads(1);
    Network network = DEEP.build(Mode.TARGET, 10);
    ForwardPass forward = new ForwardPass(ComputeDevice.cpu(), Precision.FP32);
    boolean recompute = Boolean.parseBoolean(args[0]);
    long before = 0;
    for (int side : new int[] {16, 64}) {
      before = ProcessMemory.resident().orElseThrow();
      ProcessMemory.resetPeak();
      try (StepScope scope = StepScope.open()) {
        int count = side / 2;
        Tensor images = Tensors.ones(ScalarType.Float, Tensors.cpu(), count, 3, side, side);
        Tensor labels = Tensors.zeros(ScalarType.Long, Tensors.cpu(), count);
        TrainingPass pass = TrainingPass.of(forward, network, images, recompute);
        pass.backward(Losses.crossEntropy(pass.logits(), labels, 0));
      }
    }
    System.out.println(ProcessMemory.peakResident().orElseThrow() - before);
  }
}
