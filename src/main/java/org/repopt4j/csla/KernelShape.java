package org.repopt4j.csla;

import static com.google.common.base.Preconditions.checkArgument;

/**
 * The convolution that a block becomes: its kernel has the shape {@code [out, in/groups, kh, kw]}.
 *
 * @param out output channels, a multiple of {@code groups}
 * @param in input channels, a multiple of {@code groups}
 * @param kh kernel height, odd
 * @param kw kernel width, odd
 * @param groups blocked connections from input to output channels; {@code in} for a depthwise
 *     convolution
 * @param stride step of the window in both directions, at least 1
 * @param paddingH rows of zeros added above and below, at least 0
 * @param paddingW columns of zeros added left and right, at least 0
 */
public record KernelShape(
    int out, int in, int kh, int kw, int groups, int stride, int paddingH, int paddingW) {

  /** Checks the numbers against each other. */
  public KernelShape {
    checkArgument(out >= 1 && in >= 1, "channels must be at least 1, got out=%s in=%s", out, in);
    checkArgument(
        kh >= 1 && kw >= 1 && kh % 2 == 1 && kw % 2 == 1,
        "a kernel must have odd sides, so that it has a centre, got: %sx%s",
        kh,
        kw);
    checkArgument(groups >= 1, "groups must be at least 1, got: %s", groups);
    checkArgument(
        out % groups == 0 && in % groups == 0,
        "groups must divide both channel counts, got out=%s in=%s groups=%s",
        out,
        in,
        groups);
    checkArgument(stride >= 1, "stride must be at least 1, got: %s", stride);
    checkArgument(
        paddingH >= 0 && paddingW >= 0,
        "padding must not be negative, got: %sx%s",
        paddingH,
        paddingW);
  }

  /** A dense convolution of stride 1 whose padding keeps height and width. */
  public static KernelShape of(int out, int in, int kh, int kw) {
    return new KernelShape(out, in, kh, kw, 1, 1, kh / 2, kw / 2);
  }

  /**
   * A depthwise convolution ({@code groups = channels}) of stride 1 whose padding keeps height and
   * width.
   */
  public static KernelShape depthwise(int channels, int k) {
    return of(channels, channels, k, k).withGroups(channels);
  }

  /** The same with another number of groups. */
  public KernelShape withGroups(int value) {
    return new KernelShape(out, in, kh, kw, value, stride, paddingH, paddingW);
  }

  /** The same with another stride. */
  public KernelShape withStride(int value) {
    return new KernelShape(out, in, kh, kw, groups, value, paddingH, paddingW);
  }

  /** The same with another padding in both directions. */
  public KernelShape withPadding(int value) {
    return new KernelShape(out, in, kh, kw, groups, stride, value, value);
  }

  /** Input channels that one output channel sees. */
  public int inPerGroup() {
    return in / groups;
  }

  /** The kernel tensor's shape, {@code [out, in/groups, kh, kw]}. */
  public long[] tensorShape() {
    return new long[] {out, inPerGroup(), kh, kw};
  }

  @Override
  public String toString() {
    return "[" + out + ", " + inPerGroup() + ", " + kh + ", " + kw + "]";
  }
}
