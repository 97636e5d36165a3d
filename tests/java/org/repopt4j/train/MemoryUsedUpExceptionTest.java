package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.nn.Mode;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.RunSettings.Precision;

class MemoryUsedUpExceptionTest {
  @TempDir Path folder;

  private static RuntimeException realOne() {
    return assertThrows(
        RuntimeException.class, () -> Tensors.zeros(ScalarType.Byte, Tensors.cpu(), 1L << 60));
  }

  private static String inTraining(boolean recompute, Precision precision) {
    return MemoryUsedUpException.inTraining(
            realOne(), ComputeDevice.cpu(), 512, recompute, precision)
        .getMessage();
  }

  @Test
  void theSentenceNamesTheBatchAndWhatIsLeftToTry() {
    String all = inTraining(false, Precision.FP32);
    assertTrue(
        all.startsWith(
            "the memory of cpu is used up at --batch-size 512; lower it, add --recompute, or use"
                + " --precision bf16: "),
        all);
    assertEquals(1, all.lines().count(), all);
    String few = inTraining(true, Precision.FP16);
    assertTrue(few.contains("--batch-size 512; lower it: "), few);
    String evaluation =
        MemoryUsedUpException.inEvaluation(realOne(), ComputeDevice.cpu(), "--val-batch-size", 1024)
            .getMessage();
    assertTrue(evaluation.contains("at --val-batch-size 1024; lower it: "), evaluation);
  }

  @Test
  void otherErrorsStayThemselves() {
    IllegalStateException other = new IllegalStateException("the device is gone");
    assertSame(
        other,
        MemoryUsedUpException.inTraining(other, ComputeDevice.cpu(), 2, false, Precision.FP32));
    Throwable once = MemoryUsedUpException.inEvaluation(realOne(), ComputeDevice.cpu(), "-b", 1);
    assertSame(
        once,
        MemoryUsedUpException.inTraining(once, ComputeDevice.cpu(), 2, false, Precision.FP32));
  }

  @Test
  void aRunSaysIt() throws Exception {
    Session session = TinyTraining.session(TinyRun.config(Mode.TARGET, folder.resolve("run")));
    MemoryUsedUpException said =
        assertThrows(
            MemoryUsedUpException.class,
            () ->
                TinyTraining.run(
                    session,
                    new TrainListener() {},
                    () -> {
                      throw realOne();
                    }));
    assertTrue(said.getMessage().contains("--batch-size 8"), said::getMessage);
  }
}
