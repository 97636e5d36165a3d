package org.repopt4j.data;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.Doubles;
import java.util.List;

/**
 * From a byte to a float32 value, per channel: {@code (v / 255 - mean) / std}, each operation
 * rounded to float32, which is bit for bit what torchvision's {@code ToTensor} and {@code
 * Normalize} compute.
 *
 * @param mean of each channel, in units of the full range
 * @param std the standard deviation of each channel, greater than 0
 */
public record Normalization(List<Double> mean, List<Double> std) {
  /** {@code cf100} of the official {@code data/build.py}. */
  public static final Normalization CIFAR100 =
      of(
          new double[] {0.5070751592371323, 0.48654887331495095, 0.4409178433670343},
          new double[] {0.2673342858792401, 0.2564384629170883, 0.27615047132568404});

  /** The usual values for CIFAR-10. */
  public static final Normalization CIFAR10 =
      of(new double[] {0.4914, 0.4822, 0.4465}, new double[] {0.2470, 0.2435, 0.2616});

  /** Checks the numbers. */
  public Normalization {
    mean = ImmutableList.copyOf(mean);
    std = ImmutableList.copyOf(std);
    checkArgument(
        !mean.isEmpty() && mean.size() == std.size(),
        "mean and std must have one value for each channel, got mean %s and std %s",
        mean,
        std);
    checkArgument(
        mean.stream().allMatch(Double::isFinite), "each mean must be finite, got: %s", mean);
    checkArgument(
        std.stream().allMatch(value -> Double.isFinite(value) && value.floatValue() > 0),
        "each std must be finite and greater than 0, got: %s",
        std);
  }

  /** The same from arrays, one value for each channel. */
  public static Normalization of(double[] mean, double[] std) {
    return new Normalization(
        ImmutableList.copyOf(Doubles.asList(mean)), ImmutableList.copyOf(Doubles.asList(std)));
  }

  /** The number of channels. */
  public int channels() {
    return mean.size();
  }

  /** The float32 value of an unsigned byte (0..255) of this channel. */
  public float apply(int channel, int value) {
    return (value / 255f - mean.get(channel).floatValue()) / std.get(channel).floatValue();
  }
}
