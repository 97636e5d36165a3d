package org.repopt4j.testkit;

import java.util.Random;
import org.repopt4j.csla.KernelShape;

/** The families of blocks that the tests draw from. */
public enum BlockKind {
  /** 3x3 + 1x1, any channels, stride and padding. */
  DENSE,
  /** 3x3 + 1x1 + identity, as in RepOpt-VGG. */
  DENSE_WITH_IDENTITY,
  /** 3x3 + 1x1 with two or three groups. */
  GROUPED,
  /** KxK + 3x3 + identity with one input for each output, as in RepOpt-GhostNet. */
  DEPTHWISE,
  /** A dense 3x3 with a depthwise 3x3 and a depthwise 1x1 in it, also with several outputs. */
  DEPTHWISE_IN_DENSE,
  /** 1x3 + 3x1 + 1x1 in a kernel that need not be square. */
  ASYMMETRIC,
  /** 31x31 + 5x5. */
  LARGE;

  /** The block of this kind and seed. Its scales have both signs and are float32 numbers. */
  public NaiveBlock random(long seed) {
    Random random = new Random(seed * 0x9E3779B97F4A7C15L);
    return switch (this) {
      case DENSE -> {
        int out = between(random, 1, 4);
        int in = between(random, 1, 4);
        yield new NaiveBlock(shape(random, out, in, 3, 3, 1, 3), random).conv(3, 3).conv(1, 1);
      }
      case DENSE_WITH_IDENTITY -> {
        int channels = between(random, 1, 4);
        yield new NaiveBlock(shape(random, channels, channels, 3, 3, 1, 1), random)
            .conv(3, 3)
            .conv(1, 1)
            .identity();
      }
      case GROUPED -> {
        int groups = between(random, 2, 3);
        int out = groups * between(random, 1, 2);
        int in = groups * between(random, 1, 2);
        NaiveBlock block = new NaiveBlock(shape(random, out, in, 3, 3, groups, 2), random);
        block.conv(3, 3).conv(1, 1);
        yield in == out && block.block().shape().stride() == 1 ? block.identity() : block;
      }
      case DEPTHWISE -> {
        int channels = between(random, 1, 4);
        int k = 2 * between(random, 1, 2) + 1;
        yield new NaiveBlock(shape(random, channels, channels, k, k, channels, 1), random)
            .conv(k, k)
            .conv(3, 3)
            .identity();
      }
      case DEPTHWISE_IN_DENSE -> {
        int in = between(random, 1, 3);
        int out = in * between(random, 1, 2);
        yield new NaiveBlock(shape(random, out, in, 3, 3, 1, 2), random)
            .conv(3, 3)
            .conv(3, 3, in)
            .conv(1, 1, in);
      }
      case ASYMMETRIC -> {
        int out = between(random, 1, 3);
        int in = between(random, 1, 3);
        int kw = 2 * between(random, 1, 2) + 1;
        yield new NaiveBlock(shape(random, out, in, 3, kw, 1, 3), random)
            .conv(1, 3)
            .conv(3, 1)
            .conv(1, 1);
      }
      case LARGE -> {
        int out = between(random, 1, 2);
        int in = between(random, 1, 2);
        yield new NaiveBlock(shape(random, out, in, 31, 31, 1, 2), random).conv(31, 31).conv(5, 5);
      }
    };
  }

  private static KernelShape shape(
      Random random, int out, int in, int kh, int kw, int groups, int maxStride) {
    return new KernelShape(
        out,
        in,
        kh,
        kw,
        groups,
        between(random, 1, maxStride),
        between(random, 0, kh),
        between(random, 0, kw));
  }

  private static int between(Random random, int low, int high) {
    return low + random.nextInt(high - low + 1);
  }
}
