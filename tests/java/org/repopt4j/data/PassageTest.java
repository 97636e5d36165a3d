package org.repopt4j.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.TensorAsserts;
import org.repopt4j.testkit.TestDevice;

/** Batches that go to the device as bytes, against those that a CPU makes as float32. */
@Tag("device")
class PassageTest {
  private static final ImageDataSet IMAGES = TestImages.random(50, 8, 6);

  private static BatchLoader bytes(BatchLoader loader) {
    return loader.through(new Passage(loader.images().normalization(), TestDevice.get()));
  }

  @Property(tries = 30)
  @net.jqwik.api.Tag("device") // jqwik does not see the class's
  void theBatchesAreThoseOfTheCpu(
      @ForAll @IntRange(min = 1, max = 30) int batchSize,
      @ForAll @IntRange(min = 1, max = 4) int workers,
      @ForAll boolean training,
      @ForAll @IntRange(min = 0, max = 50) int start) {
    LoaderOptions options =
        training
            ? LoaderOptions.training(batchSize, 4, Augmentation.CIFAR)
            : LoaderOptions.evaluation(batchSize);
    BatchLoader loader = new BatchLoader(IMAGES, options.withWorkers(workers, workers + 1));
    int first = Math.min(start, loader.batchesPerEpoch());
    assertSameBatches(loader.epoch(7, first), bytes(loader).epoch(7, first));
  }

  private static void assertSameBatches(Epoch expected, Epoch actual) {
    try (expected;
        actual) {
      Iterator<Batch> others = actual.iterator();
      for (Batch one : expected) {
        try (one;
            Batch other = others.next();
            StepScope scope = StepScope.open()) {
          assertEquals(one.step(), other.step());
          assertArrayEquals(one.sampleIds(), other.sampleIds());
          assertTrue(other.images().device().equals(TestDevice.get()));
          assertTrue(other.labels().device().equals(TestDevice.get()));
          assertEquals(ScalarType.Float, Tensors.type(other.images()));
          assertArrayEquals(Tensors.toLongs(one.labels()), Tensors.toLongs(other.labels()));
          TensorAsserts.assertBitEqual("batch " + one.step(), one.images(), other.images());
        }
      }
      assertFalse(others.hasNext());
    }
  }

  @Test
  void everyByteOfEveryChannelHasItsValue() {
    byte[] pixels = new byte[3 * 256];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) i;
    }
    ImageDataSet all = TestImages.of(pixels, new int[1], 16, 16);
    try (Epoch epoch = bytes(BatchLoader.evaluation(all, 1)).epoch(0);
        Batch batch = epoch.iterator().next()) {
      float[] values = Tensors.toFloats(batch.images());
      for (int i = 0; i < values.length; i++) {
        assertEquals(Normalization.CIFAR100.apply(i / 256, i % 256), values[i]);
      }
    }
  }

  @Test
  void whatCannotBeReadIsLeftOut() {
    ImageDataSet holed = new UnreadableImages(IMAGES, 3, 20);
    BatchLoader expected =
        new BatchLoader(holed, LoaderOptions.evaluation(8), new BadSamples(2, sentence -> {}));
    assertSameBatches(expected.epoch(0), bytes(expected).epoch(0));
  }

  @Test
  void aBatchThatCannotBeMadeIsToldInItsTurn() {
    BatchLoader loader =
        new BatchLoader(new UnreadableImages(IMAGES, 17), LoaderOptions.evaluation(8));
    try (Epoch epoch = bytes(loader).epoch(0)) {
      Iterator<Batch> batches = epoch.iterator();
      for (int step = 0; step < 2; step++) {
        try (Batch batch = batches.next()) {
          assertEquals(step, batch.step());
        }
      }
      assertThrows(CorruptImageException.class, batches::next);
    }
  }

  @Test
  void aBatchLivesUntilItIsClosedAndNoLonger() {
    Tensor images;
    Tensor labels;
    try (Epoch epoch = bytes(BatchLoader.evaluation(IMAGES, 10)).epoch(0)) {
      Batch batch;
      try (StepScope scope = StepScope.open()) {
        batch = epoch.iterator().next();
      }
      images = batch.images();
      labels = batch.labels();
      assertFalse(images.isNull());
      assertFalse(labels.isNull());
      batch.close();
    }
    assertTrue(images.isNull());
    assertTrue(labels.isNull());
  }

  @Test
  void closingFreesWhatIsOnItsWay() {
    Passage passage = new Passage(Normalization.CIFAR100, TestDevice.get());
    List<Batch> made = new CopyOnWriteArrayList<>();
    Epoch epoch =
        new Epoch(
            step -> {
              Tensor bytes = passage.room(ScalarType.Byte, 1, 3, 2, 2);
              Tensor labels = passage.room(ScalarType.Long, 1);
              made.add(new Batch(bytes, labels, new int[1], step, Optional.of(passage)));
              return made.get(made.size() - 1);
            },
            0,
            10,
            1,
            3);
    Iterator<Batch> batches = epoch.iterator();
    batches.next().close();
    batches.next().close();
    epoch.close();
    for (Batch batch : made) {
      assertTrue(batch.images().isNull() && batch.labels().isNull(), "batch " + batch.step());
    }
  }

  @Test
  void aLoaderStaysAsItIsOnTheCpu() {
    BatchLoader loader = BatchLoader.evaluation(IMAGES, 10);
    assertSame(loader, loader.on(ComputeDevice.cpu()));
  }

  /** A copy beside a busy device, whose memory is used again and again while it still computes. */
  @Test
  @Tag("gpu")
  void aBusyDeviceGetsTheSameBatches() {
    ComputeDevice cuda = ComputeDevice.of("cuda");
    ImageDataSet images = TestImages.random(4096, 32, 32);
    LoaderOptions options = LoaderOptions.training(64, 1, Augmentation.CIFAR).withWorkers(4, 8);
    BatchLoader loader = new BatchLoader(images, options);
    try (Epoch epoch = loader.on(cuda).epoch(2);
        Epoch expected = loader.epoch(2);
        StepScope all = StepScope.open()) {
      Tensor busy = Tensors.ones(ScalarType.Float, cuda.device(), 4096, 4096);
      Tensor sums = Tensors.zeros(ScalarType.Double, cuda.device(), 64, 3);
      for (Batch next : epoch) {
        try (Batch batch = next;
            StepScope step = StepScope.open()) {
          for (int i = 0; i < 20; i++) {
            busy.copy_(busy.matmul(busy).sigmoid());
          }
          sums.select(0, batch.step()).copy_(batch.images().to(ScalarType.Double).sum(2, 3).sum(0));
        }
      }
      double[] actual = Tensors.toDoubles(sums);
      for (Batch next : expected) {
        try (Batch batch = next;
            StepScope step = StepScope.open()) {
          double[] sum = Tensors.toDoubles(batch.images().to(ScalarType.Double).sum(2, 3).sum(0));
          for (int channel = 0; channel < 3; channel++) {
            assertEquals(sum[channel], actual[batch.step() * 3 + channel], 1e-6);
          }
        }
      }
    }
  }
}
