package org.repopt4j.data;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkNotNull;

import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * Makes batches of a data set, ahead of the one who asks for them. Immutable; epochs of one loader
 * may run at the same time.
 *
 * <pre>{@code
 * BatchLoader loader = BatchLoader.training(split.train(), 128, seed);
 * try (Epoch batches = loader.epoch(0)) {
 *   for (Batch next : batches) {
 *     try (Batch batch = next; StepScope step = StepScope.open()) {
 *       Tensor loss = crossEntropy(net.forward(batch.images()), batch.labels());
 *       ...
 *     }
 *   }
 * }
 * }</pre>
 *
 * <p>The order of the images is a pure function of (seed, epoch), an image's augmentation one of
 * (seed, epoch, sample): neither depends on the number of threads, on the batch size, or on where
 * the epoch was begun.
 */
public final class BatchLoader {
  private final ImageDataSet images;
  private final LoaderOptions options;
  private final ImagePipeline pipeline;
  private final BadSamples badSamples;
  private final Optional<Passage> passage;

  /**
   * Makes a loader.
   *
   * @throws IllegalArgumentException if the data set is too small to give one batch, or its images
   *     are too small for the augmentation
   */
  public BatchLoader(ImageDataSet images, LoaderOptions options) {
    this(images, options, BadSamples.none());
  }

  /**
   * A loader that leaves out of its batches what cannot be read.
   *
   * @param badSamples where they are counted
   */
  public BatchLoader(ImageDataSet images, LoaderOptions options, BadSamples badSamples) {
    this(images, options, badSamples, Optional.empty());
  }

  private BatchLoader(
      ImageDataSet images,
      LoaderOptions options,
      BadSamples badSamples,
      Optional<Passage> passage) {
    this.passage = passage;
    this.badSamples = checkNotNull(badSamples, "badSamples");
    this.images = checkNotNull(images, "images");
    this.options = checkNotNull(options, "options");
    this.pipeline = new ImagePipeline(images, options.augmentation(), options.seed());
    checkArgument(
        batchesPerEpoch() >= 1,
        "%s has %s images for each of %s shards, too few for one batch of %s; choose a smaller batch",
        images.name(),
        samplesPerEpoch(),
        options.shards(),
        options.batchSize());
  }

  /** A loader with random order, the data set's own augmentation and whole batches only. */
  public static BatchLoader training(ImageDataSet images, int batchSize, long seed) {
    return new BatchLoader(images, LoaderOptions.training(batchSize, seed, images.augmentation()));
  }

  /** A loader that gives every image once, as it is, in the data set's order. */
  public static BatchLoader evaluation(ImageDataSet images, int batchSize) {
    return new BatchLoader(images, LoaderOptions.evaluation(batchSize));
  }

  /**
   * The same batches, bit for bit, on a device. A CUDA device gets their bytes, copied while it
   * computes the batch before, and normalises them itself; the CPU gets them as they are. Each
   * batch may be used by the thread that asked for it, on the CUDA stream that was current then.
   */
  public BatchLoader on(ComputeDevice device) {
    return device.isCuda() ? through(new Passage(images.normalization(), device.device())) : this;
  }

  /** The same batches by way of their bytes. */
  BatchLoader through(Passage way) {
    return new BatchLoader(images, options, badSamples, Optional.of(way));
  }

  /** The data set. */
  public ImageDataSet images() {
    return images;
  }

  /** How batches are made of it. */
  public LoaderOptions options() {
    return options;
  }

  /** The number of batches of a whole epoch. */
  public int batchesPerEpoch() {
    int samples = samplesPerEpoch();
    int whole = samples / options.batchSize();
    boolean part = !options.dropLast() && samples % options.batchSize() != 0;
    return part ? whole + 1 : whole;
  }

  /** All shards get equally many in training, so that none waits for another. */
  private int samplesPerEpoch() {
    int shared = images.size() / options.shards();
    boolean more = !options.dropLast() && options.shard() < images.size() % options.shards();
    return more ? shared + 1 : shared;
  }

  /** A whole epoch. */
  public Epoch epoch(long epoch) {
    return epoch(epoch, 0);
  }

  /**
   * The rest of an epoch, from a batch on; the batches are those that the whole epoch has there.
   *
   * @param epoch its number, at least 0
   * @param startBatch the first batch, 0 to {@link #batchesPerEpoch}, which leaves none
   * @throws IllegalArgumentException if one of them is out of range
   */
  public Epoch epoch(long epoch, int startBatch) {
    checkArgument(epoch >= 0, "epoch must not be negative, got: %s", epoch);
    checkArgument(
        startBatch >= 0 && startBatch <= batchesPerEpoch(),
        "startBatch must be from 0 to %s, got: %s",
        batchesPerEpoch(),
        startBatch);
    int[] order =
        options.shuffle()
            ? EpochOrder.shuffled(images.size(), options.seed(), epoch)
            : EpochOrder.plain(images.size());
    return new Epoch(
        step -> batch(order, epoch, step),
        startBatch,
        batchesPerEpoch(),
        options.workers(),
        options.prefetch());
  }

  private Batch batch(int[] order, long epoch, int step) {
    int first = Math.multiplyExact(step, options.batchSize());
    int[] samples = new int[Math.min(options.batchSize(), samplesPerEpoch() - first)];
    for (int i = 0; i < samples.length; i++) {
      samples[i] = order[(first + i) * options.shards() + options.shard()];
    }
    long[] shape = {samples.length, images.channels(), images.height(), images.width()};
    try (StepScope scope = StepScope.open()) {
      Tensor pixels =
          passage
              .map(way -> way.room(ScalarType.Byte, shape))
              .orElseGet(() -> Tensors.empty(ScalarType.Float, Tensors.cpu(), shape));
      int[] whole = fill(samples, passage.isPresent() ? raw(pixels, epoch) : done(pixels, epoch));
      long[] labels = new long[whole.length];
      for (int i = 0; i < whole.length; i++) {
        labels[i] = images.label(whole[i]);
      }
      Tensor classes =
          passage
              .map(way -> way.room(ScalarType.Long, labels.length))
              .orElseGet(() -> Tensors.empty(ScalarType.Long, Tensors.cpu(), labels.length));
      classes.data_ptr_long().put(labels);
      Tensor filled = whole.length == samples.length ? pixels : pixels.narrow(0, 0, whole.length);
      return new Batch(Retained.retain(filled), Retained.retain(classes), whole, step, passage);
    }
  }

  /** Puts a sample's image at a place of the batch. */
  private interface ImageWriter {
    void write(int sample, int place);
  }

  private ImageWriter done(Tensor pixels, long epoch) {
    byte[] bytes = new byte[images.imageBytes()];
    float[] values = new float[images.imageBytes()];
    FloatPointer to = pixels.data_ptr_float();
    return (sample, place) -> {
      pipeline.read(sample, epoch, bytes, values);
      to.position((long) place * values.length).put(values);
    };
  }

  private ImageWriter raw(Tensor pixels, long epoch) {
    byte[] bytes = new byte[images.imageBytes()];
    byte[] cut = new byte[images.imageBytes()];
    BytePointer to = pixels.data_ptr_byte();
    return (sample, place) -> {
      pipeline.readBytes(sample, epoch, bytes, cut);
      to.position((long) place * cut.length).put(cut);
    };
  }

  /** The samples that could be read; their images are the batch's first. */
  private int[] fill(int[] samples, ImageWriter writer) {
    int[] whole = samples.clone();
    int count = 0;
    for (int sample : samples) {
      try {
        writer.write(sample, count);
      } catch (CorruptImageException e) {
        badSamples.pass(images, sample, e);
        continue;
      }
      whole[count++] = sample;
    }
    if (count == 0) {
      throw new CorruptImageException(
          "none of the " + samples.length + " images of a batch can be read");
    }
    return Arrays.copyOf(whole, count);
  }
}
