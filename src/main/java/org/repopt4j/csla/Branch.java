package org.repopt4j.csla;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.Arrays;

/**
 * One linear branch of a block: a trainable kernel {@code [out, in/groups, kh, kw]} at the centre
 * of the block's kernel, times a constant scale per output channel. The identity is the branch
 * whose kernel is 1x1 and depthwise and whose scale is 1.
 *
 * <p>Immutable; the scales are copied in and out.
 */
public final class Branch {
  private final int kh;
  private final int kw;
  private final int groups;
  private final double[] scales;
  private final boolean identity;

  private Branch(int kh, int kw, int groups, double[] scales, boolean identity) {
    this.kh = kh;
    this.kw = kw;
    this.groups = groups;
    this.scales = scales;
    this.identity = identity;
  }

  static Branch conv(KernelShape block, int kh, int kw, int groups, double[] scales) {
    checkArgument(
        kh >= 1 && kw >= 1 && kh % 2 == 1 && kw % 2 == 1,
        "a branch must have odd sides, so that its centre meets the block's, got: %sx%s",
        kh,
        kw);
    checkArgument(
        kh <= block.kh() && kw <= block.kw(),
        "a branch of %sx%s does not fit into the block's kernel of %sx%s",
        kh,
        kw,
        block.kh(),
        block.kw());
    checkArgument(
        groups >= 1
            && groups % block.groups() == 0
            && block.in() % groups == 0
            && block.out() % groups == 0,
        "a branch's groups must be a multiple of the block's %s and divide in=%s and out=%s, got: %s",
        block.groups(),
        block.in(),
        block.out(),
        groups);
    checkArgument(
        scales.length == block.out(),
        "a branch needs one scale for each of the %s output channels, got: %s",
        block.out(),
        scales.length);
    for (int o = 0; o < scales.length; o++) {
      if (!Double.isFinite(scales[o])) {
        throw new IllegalArgumentException(
            "scales must be finite numbers, got " + scales[o] + " at output channel " + o);
      }
    }
    return new Branch(kh, kw, groups, scales.clone(), false);
  }

  static Branch identity(KernelShape block) {
    checkArgument(
        block.in() == block.out(),
        "an identity branch needs as many inputs as outputs, got in=%s out=%s",
        block.in(),
        block.out());
    checkArgument(
        block.stride() == 1, "an identity branch needs stride 1, got: %s", block.stride());
    double[] ones = new double[block.out()];
    Arrays.fill(ones, 1.0);
    return new Branch(1, 1, block.in(), ones, true);
  }

  /** Kernel height, odd. */
  public int kh() {
    return kh;
  }

  /** Kernel width, odd. */
  public int kw() {
    return kw;
  }

  /** Groups of this branch's convolution, a multiple of the block's. */
  public int groups() {
    return groups;
  }

  /** The constant scale of an output channel. */
  public double scale(int out) {
    return scales[out];
  }

  /** A copy of the constant scales, one per output channel. */
  public double[] scales() {
    return scales.clone();
  }

  /** Whether this is the identity: a trainable diagonal whose constant scale is 1. */
  public boolean isIdentity() {
    return identity;
  }

  /** The shape of this branch's own kernel, {@code [out, in/groups, kh, kw]}. */
  public long[] tensorShape(KernelShape block) {
    return new long[] {block.out(), block.in() / groups, kh, kw};
  }

  @Override
  public String toString() {
    return identity ? "identity" : kh + "x" + kw + (groups > 1 ? "/" + groups : "");
  }
}
