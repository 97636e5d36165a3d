package org.repopt4j.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableSet;
import com.google.common.collect.Iterables;
import com.google.common.primitives.Floats;
import com.google.common.primitives.Ints;
import com.google.common.primitives.Longs;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

class BatchLoaderTest {
  private static final ImageDataSet IMAGES = TestImages.random(50, 8, 6);

  /** What a batch holds, copied before it is closed. */
  private record Seen(int step, List<Integer> samples, List<Long> labels, List<Float> pixels) {}

  private static List<Seen> see(Epoch epoch) {
    List<Seen> seen = new ArrayList<>();
    try (epoch) {
      for (Batch next : epoch) {
        try (Batch batch = next) {
          assertEquals(ScalarType.Float, batch.images().scalar_type().intern());
          assertEquals(ScalarType.Long, batch.labels().scalar_type().intern());
          assertArrayEquals(new long[] {batch.size(), 3, 8, 6}, Tensors.shape(batch.images()));
          seen.add(
              new Seen(
                  batch.step(),
                  Ints.asList(batch.sampleIds()),
                  Longs.asList(Tensors.toLongs(batch.labels())),
                  Floats.asList(Tensors.toFloats(batch.images()))));
        }
      }
    }
    return seen;
  }

  @Test
  void trainingSeesEverySampleAtMostOnceInWholeBatches() {
    BatchLoader loader = BatchLoader.training(IMAGES, 8, 1);
    assertEquals(6, loader.batchesPerEpoch());
    List<Seen> seen = see(loader.epoch(3));
    List<Integer> samples = new ArrayList<>();
    for (int step = 0; step < 6; step++) {
      assertEquals(step, seen.get(step).step());
      assertEquals(8, seen.get(step).samples().size());
      samples.addAll(seen.get(step).samples());
    }
    assertEquals(6, seen.size());
    assertEquals(48, ImmutableSet.copyOf(samples).size());
    assertEquals(Ints.asList(EpochOrder.shuffled(50, 1, 3)).subList(0, 48), samples);
  }

  @Test
  void imagesAndLabelsAreThoseOfTheirSamples() {
    long seed = 11;
    ImagePipeline pipeline = new ImagePipeline(IMAGES, Augmentation.CIFAR, seed);
    for (Seen batch : see(BatchLoader.training(IMAGES, 7, seed).epoch(2))) {
      for (int i = 0; i < 7; i++) {
        int sample = batch.samples().get(i);
        float[] expected = new float[144];
        pipeline.read(sample, 2, new byte[144], expected);
        assertEquals(Floats.asList(expected), batch.pixels().subList(i * 144, (i + 1) * 144));
        assertEquals(IMAGES.label(sample), batch.labels().get(i));
      }
    }
  }

  @Test
  void evaluationSeesEveryImageOnceAsItIs() {
    BatchLoader loader = BatchLoader.evaluation(IMAGES, 8);
    assertEquals(7, loader.batchesPerEpoch());
    List<Seen> seen = see(loader.epoch(0));
    int sample = 0;
    byte[] bytes = new byte[144];
    for (Seen batch : seen) {
      for (int i = 0; i < batch.samples().size(); i++) {
        assertEquals(sample, batch.samples().get(i));
        assertEquals(IMAGES.label(sample), batch.labels().get(i));
        IMAGES.read(sample++, bytes, 0);
        for (int j = 0; j < 144; j++) {
          float expected = Normalization.CIFAR100.apply(j / 48, bytes[j] & 0xff);
          assertEquals(expected, batch.pixels().get(i * 144 + j));
        }
      }
    }
    assertEquals(50, sample);
    assertEquals(2, Iterables.getLast(seen).samples().size());
  }

  @Test
  void epochsAndSeedsDiffer() {
    BatchLoader loader = BatchLoader.training(IMAGES, 8, 1);
    List<Integer> first = see(loader.epoch(0)).get(0).samples();
    assertFalse(first.equals(see(loader.epoch(1)).get(0).samples()));
    assertFalse(first.equals(see(BatchLoader.training(IMAGES, 8, 2).epoch(0)).get(0).samples()));
    assertEquals(see(loader.epoch(0)), see(BatchLoader.training(IMAGES, 8, 1).epoch(0)));
  }

  @Test
  void theNumberOfThreadsChangesNothing() {
    LoaderOptions options = LoaderOptions.training(4, 1, Augmentation.CIFAR);
    List<Seen> one = see(new BatchLoader(IMAGES, options).epoch(5));
    List<Seen> four = see(new BatchLoader(IMAGES, options.withWorkers(4, 6)).epoch(5));
    assertEquals(one, four);
  }

  @Property(tries = 30)
  void anEpochCanBeBegunAtAnyBatch(
      @ForAll @IntRange(min = 1, max = 30) int batchSize,
      @ForAll boolean training,
      @ForAll @IntRange(min = 0, max = 50) int start) {
    BatchLoader loader =
        training
            ? BatchLoader.training(IMAGES, batchSize, 4)
            : BatchLoader.evaluation(IMAGES, batchSize);
    int first = Math.min(start, loader.batchesPerEpoch());
    List<Seen> whole = see(loader.epoch(7));
    assertEquals(loader.batchesPerEpoch(), whole.size());
    assertEquals(whole.subList(first, whole.size()), see(loader.epoch(7, first)));
  }

  @Test
  void shardsTogetherAreOneGreaterBatch() {
    LoaderOptions options = LoaderOptions.training(12, 1, Augmentation.CIFAR);
    List<Seen> undivided = see(new BatchLoader(IMAGES, options).epoch(2));
    List<List<Seen>> shards = new ArrayList<>();
    for (int shard = 0; shard < 3; shard++) {
      LoaderOptions share = LoaderOptions.training(4, 1, Augmentation.CIFAR).withShard(shard, 3);
      shards.add(see(new BatchLoader(IMAGES, share).epoch(2)));
      assertEquals(undivided.size(), shards.get(shard).size());
    }
    for (int step = 0; step < undivided.size(); step++) {
      for (int i = 0; i < 12; i++) {
        Seen part = shards.get(i % 3).get(step);
        assertEquals(undivided.get(step).samples().get(i), part.samples().get(i / 3));
        assertEquals(
            undivided.get(step).pixels().subList(i * 144, (i + 1) * 144),
            part.pixels().subList(i / 3 * 144, (i / 3 + 1) * 144));
      }
    }
  }

  @Test
  void shardsOfAnEvaluationSeeEveryImageOnce() {
    List<Integer> samples = new ArrayList<>();
    for (int shard = 0; shard < 3; shard++) {
      LoaderOptions options = LoaderOptions.evaluation(4).withShard(shard, 3);
      see(new BatchLoader(IMAGES, options).epoch(0)).forEach(b -> samples.addAll(b.samples()));
    }
    assertEquals(50, samples.size());
    assertEquals(50, ImmutableSet.copyOf(samples).size());
  }

  @Test
  void aScopeOfTheCallersDoesNotFreeABatch() {
    try (Epoch epoch = BatchLoader.evaluation(IMAGES, 10).epoch(0)) {
      Batch batch;
      try (StepScope scope = StepScope.open()) {
        batch = epoch.iterator().next();
      }
      assertFalse(batch.images().isNull());
      batch.close();
      batch.close();
      assertTrue(batch.images().isNull());
      assertTrue(batch.labels().isNull());
    }
  }

  @Test
  void refusesADataSetSmallerThanABatch() {
    assertMessage(
        "random has 50 images for each of 1 shards, too few for one batch of 51; choose a smaller"
            + " batch",
        () -> BatchLoader.training(IMAGES, 51, 0));
    assertEquals(1, BatchLoader.evaluation(IMAGES, 51).batchesPerEpoch());
    assertEquals(1, BatchLoader.training(IMAGES, 50, 0).batchesPerEpoch());
  }

  @Test
  void refusesAStartOutOfRange() {
    BatchLoader loader = BatchLoader.evaluation(IMAGES, 10);
    assertMessage("startBatch must be from 0 to 5, got: 6", () -> loader.epoch(0, 6));
    assertMessage("startBatch must be from 0 to 5, got: -1", () -> loader.epoch(0, -1));
    assertMessage("epoch must not be negative, got: -1", () -> loader.epoch(-1));
  }

  private static void assertMessage(String expected, Runnable action) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, action::run).getMessage());
  }
}
