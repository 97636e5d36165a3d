package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.data.BatchLoader;
import org.repopt4j.data.ImageDataSet;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.RunSettings.Precision;

@ExtendWith(OneThread.class)
class EvaluatorTest {
  private final ImageDataSet images = TinyRun.data().test();
  private final Evaluator evaluator = new Evaluator(ComputeDevice.cpu(), Precision.FP32);
  private Network network;

  @BeforeEach
  void build() {
    Natives.manualSeed(5);
    network = TinyRun.ARCHITECTURE.target(images.classes());
    network.train(true);
  }

  /** Image by image: logits of the network in evaluation mode, all else in Java. */
  private double[] naive(int count) {
    double loss = 0;
    double top1 = 0;
    double top5 = 0;
    byte[] bytes = new byte[images.imageBytes()];
    float[] values = new float[bytes.length];
    int plane = images.height() * images.width();
    network.eval();
    for (int i = 0; i < count; i++) {
      images.read(i, bytes, 0);
      for (int p = 0; p < values.length; p++) {
        values[p] = images.normalization().apply(p / plane, Byte.toUnsignedInt(bytes[p]));
      }
      double[] logits;
      try (StepScope scope = StepScope.open();
          NoGrad noGrad = NoGrad.open()) {
        Tensor one = Tensors.of(values, 1, 3, images.height(), images.width());
        logits = Tensors.toDoubles(network.forward(one));
      }
      double sum = 0;
      int better = 0;
      for (double logit : logits) {
        sum += Math.exp(logit);
        better += logit > logits[images.label(i)] ? 1 : 0;
      }
      loss += Math.log(sum) - logits[images.label(i)];
      top1 += better == 0 ? 1 : 0;
      top5 += better < 5 ? 1 : 0;
    }
    network.train(true);
    return new double[] {loss / count, top1 / count, top5 / count};
  }

  /** 20 images: whole batches, and a last one of 6 or of 2. */
  @ParameterizedTest
  @ValueSource(ints = {20, 10, 7, 9, 64})
  void countsEveryImageOnceWhateverTheBatch(int batch) {
    double[] expected = naive(20);
    Evaluator.Result result =
        evaluator.evaluate(network, BatchLoader.evaluation(images, batch), () -> false);
    assertEquals(20, result.images());
    assertEquals(expected[0], result.loss(), 1e-5 * expected[0]);
    assertEquals(expected[1], result.top1());
    assertEquals(expected[2], result.top5());
    assertTrue(expected[2] < 1, "a network that knows nothing must miss some of six classes");
    assertTrue(result.imagesPerSecond() > 0);
  }

  @Test
  void theNetworkComesBackAsItWas() {
    Map<String, Tensor> before = new LinkedHashMap<>();
    network.stateDict().forEach((name, tensor) -> before.put(name, tensor.clone()));
    evaluator.evaluate(network, BatchLoader.evaluation(images, 8), () -> false);
    assertTrue(network.is_training());
    network.stateDict().forEach((name, tensor) -> assertBitEqual(name, before.get(name), tensor));
    network.eval();
    evaluator.evaluate(network, BatchLoader.evaluation(images, 8), () -> false);
    assertFalse(network.is_training());
    network.namedParameters().forEach((name, p) -> assertFalse(p.grad().defined(), name));
    assertTrue(torch.ones(1).requires_grad_(true).add(torch.ones(1)).requires_grad());
  }

  @Test
  void theModeComesBackAfterAFailureToo() {
    BatchLoader loader = BatchLoader.evaluation(images, 8);
    try {
      evaluator.evaluate(
          network,
          loader,
          () -> {
            throw new IllegalStateException("on purpose");
          });
    } catch (IllegalStateException e) {
      assertEquals("on purpose", e.getMessage());
    }
    assertTrue(network.is_training());
  }

  @Test
  void aStopLeavesTheMeanOfWhatWasSeen() {
    AtomicInteger asked = new AtomicInteger();
    double[] expected = naive(12);
    Evaluator.Result result =
        evaluator.evaluate(
            network, BatchLoader.evaluation(images, 6), () -> asked.incrementAndGet() == 2);
    assertEquals(2, asked.get());
    assertEquals(12, result.images());
    assertEquals(expected[0], result.loss(), 1e-5 * expected[0]);
    assertEquals(expected[1], result.top1());
  }

  @Test
  void bfloat16IsNearFloat32AndNotTheSame() {
    BatchLoader loader = BatchLoader.evaluation(images, 20);
    double exact = evaluator.evaluate(network, loader, () -> false).loss();
    double rough =
        new Evaluator(ComputeDevice.cpu(), Precision.BF16)
            .evaluate(network, loader, () -> false)
            .loss();
    assertEquals(exact, rough, 0.05 * exact);
    assertTrue(exact != rough, "bf16 gave the bits of float32: autocast did nothing");
  }
}
