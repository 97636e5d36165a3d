package org.repopt4j.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.TensorAsserts;

class ImagePipelineTest {
  @Property(tries = 200)
  void cutsTheWindowOutOfTheBorderedImage(
      @ForAll @IntRange(min = 1, max = 9) int height,
      @ForAll @IntRange(min = 1, max = 9) int width,
      @ForAll @IntRange(min = 0, max = 8) int widest,
      @ForAll boolean flip,
      @ForAll long seed,
      @ForAll @IntRange(min = 0, max = 3) int sample) {
    int padding = Math.min(widest, Math.min(height, width) - 1);
    ImageDataSet images = TestImages.random(4, height, width);
    Augmentation augmentation = new Augmentation(padding, flip);
    float[] actual = run(images, augmentation, seed, 6, sample);
    assertArrayEquals(naive(images, sample, padding, augmentation.draw(seed, 6, sample)), actual);
  }

  /** Border, window and mirror one after another, each into an image of its own. */
  private static float[] naive(
      ImageDataSet images, int sample, int padding, Augmentation.Draw draw) {
    int h = images.height();
    int w = images.width();
    byte[] bytes = new byte[images.imageBytes()];
    images.read(sample, bytes, 0);
    float[] result = new float[bytes.length];
    for (int c = 0; c < 3; c++) {
      int[][] bordered = new int[h + 2 * padding][w + 2 * padding];
      for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
          bordered[y + padding][x + padding] = bytes[(c * h + y) * w + x] & 0xff;
        }
      }
      int[][] window = new int[h][w];
      for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
          window[y][x] = bordered[draw.top() + y][draw.left() + x];
        }
      }
      for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
          int value = draw.flip() ? window[y][w - 1 - x] : window[y][x];
          result[(c * h + y) * w + x] = images.normalization().apply(c, value);
        }
      }
    }
    return result;
  }

  @Test
  void isBitEqualToLibtorchsOperations() {
    ImageDataSet images = TestImages.random(40, 32, 32);
    for (int sample = 0; sample < images.size(); sample++) {
      Augmentation.Draw draw = Augmentation.CIFAR.draw(9, 1, sample);
      try (StepScope scope = StepScope.open()) {
        Tensor actual = Tensors.of(run(images, Augmentation.CIFAR, 9, 1, sample), 3, 32, 32);
        TensorAsserts.assertBitEqual("image " + sample, libtorch(images, sample, draw), actual);
      }
    }
  }

  private static Tensor libtorch(ImageDataSet images, int sample, Augmentation.Draw draw) {
    byte[] bytes = new byte[3 * 32 * 32];
    images.read(sample, bytes, 0);
    float[] unsigned = new float[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      unsigned[i] = bytes[i] & 0xff;
    }
    Tensor window =
        torch
            .constant_pad_nd(Tensors.of(unsigned, 3, 32, 32), 4, 4, 4, 4)
            .narrow(1, draw.top(), 32)
            .narrow(2, draw.left(), 32);
    Tensor mirrored = draw.flip() ? window.flip(2) : window;
    return mirrored
        .div(new Scalar(255))
        .sub(column(0.5070751592371323, 0.48654887331495095, 0.4409178433670343))
        .div(column(0.2673342858792401, 0.2564384629170883, 0.27615047132568404));
  }

  private static Tensor column(double a, double b, double c) {
    return Tensors.of(new float[] {(float) a, (float) b, (float) c}, 3, 1, 1);
  }

  private static float[] run(
      ImageDataSet images, Augmentation augmentation, long seed, long epoch, int sample) {
    float[] values = new float[images.imageBytes()];
    new ImagePipeline(images, augmentation, seed)
        .read(sample, epoch, new byte[images.imageBytes()], values);
    return values;
  }

  @Test
  void refusesABorderAsWideAsTheImage() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new ImagePipeline(TestImages.random(1, 4, 9), Augmentation.CIFAR, 0));
    assertEquals("padding must be smaller than the images (4x9), got: 4", e.getMessage());
  }
}
