package org.repopt4j.testkit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.runtime.Tensors;

/**
 * A CSLA block with random kernels and scales, computed by plain loops over Java arrays from its
 * definition {@code y = Σ_b s_b ⊙ conv(x, W_b)}.
 */
public final class NaiveBlock {
  private static final class Part {
    final int kh;
    final int kw;
    final int groups;
    final boolean identity;
    final double[] scales;
    final double[] kernel;

    Part(int kh, int kw, int groups, boolean identity, double[] scales, double[] kernel) {
      this.kh = kh;
      this.kw = kw;
      this.groups = groups;
      this.identity = identity;
      this.scales = scales;
      this.kernel = kernel;
    }
  }

  private final KernelShape shape;
  private final Random random;
  private final List<Part> parts = new ArrayList<>();

  NaiveBlock(KernelShape shape, Random random) {
    this.shape = shape;
    this.random = random;
  }

  /** Adds a branch with the block's groups, a random kernel and scales of both signs. */
  NaiveBlock conv(int kh, int kw) {
    return conv(kh, kw, shape.groups());
  }

  /** Adds a branch with groups of its own. */
  NaiveBlock conv(int kh, int kw, int groups) {
    double[] scales = new double[shape.out()];
    for (int o = 0; o < scales.length; o++) {
      scales[o] = (float) (random.nextGaussian() + 0.5);
    }
    double[] kernel = gaussian(shape.out() * (shape.in() / groups) * kh * kw);
    parts.add(new Part(kh, kw, groups, false, scales, kernel));
    return this;
  }

  /** Adds the identity with a random diagonal. */
  NaiveBlock identity() {
    double[] ones = new double[shape.out()];
    Arrays.fill(ones, 1.0);
    parts.add(new Part(1, 1, shape.in(), true, ones, gaussian(shape.out())));
    return this;
  }

  private double[] gaussian(int count) {
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextGaussian();
    }
    return values;
  }

  /** The same block as the library's object. */
  public CslaBlock block() {
    CslaBlock block = CslaBlock.of(shape);
    for (Part part : parts) {
      if (part.identity) {
        block = block.identity();
      } else if (part.groups == shape.groups()) {
        block = block.conv(part.kh, part.kw, part.scales);
      } else {
        block = block.conv(part.kh, part.kw, part.groups, part.scales);
      }
    }
    return block;
  }

  /** The branches' kernels as float64 tensors. */
  public List<Tensor> kernels() {
    List<Tensor> kernels = new ArrayList<>();
    for (Part part : parts) {
      long narrow = shape.in() / part.groups;
      kernels.add(Tensors.of(part.kernel, shape.out(), narrow, part.kh, part.kw));
    }
    return kernels;
  }

  /** A random input {@code [2, in, h, w]} that is large enough for the padded kernel. */
  public Tensor input() {
    int h = Math.max(shape.kh() - 2 * shape.paddingH(), 1) + random.nextInt(5);
    int w = Math.max(shape.kw() - 2 * shape.paddingW(), 1) + random.nextInt(5);
    return Tensors.of(gaussian(2 * shape.in() * h * w), 2, shape.in(), h, w);
  }

  /** Where the block's kernel element lies in the part's kernel, or -1. */
  private int place(Part part, int o, int i, int y, int x) {
    int channel = o / (shape.out() / shape.groups()) * (shape.in() / shape.groups()) + i;
    int narrow = shape.in() / part.groups;
    int c = channel - o / (shape.out() / part.groups) * narrow;
    int u = y - (shape.kh() - part.kh) / 2;
    int v = x - (shape.kw() - part.kw) / 2;
    boolean inside = c >= 0 && c < narrow && u >= 0 && u < part.kh && v >= 0 && v < part.kw;
    return inside ? ((o * narrow + c) * part.kh + u) * part.kw + v : -1;
  }

  /** What an element of the block's kernel adds up from one branch. */
  private interface Term {
    double of(Part part, int o, int place);
  }

  private Tensor sum(List<Part> summands, Term term) {
    long[] sizes = shape.tensorShape();
    double[] sum = new double[shape.out() * shape.inPerGroup() * shape.kh() * shape.kw()];
    int at = 0;
    for (int o = 0; o < sizes[0]; o++) {
      for (int i = 0; i < sizes[1]; i++) {
        for (int y = 0; y < sizes[2]; y++) {
          for (int x = 0; x < sizes[3]; x++, at++) {
            for (Part part : summands) {
              int place = place(part, o, i, y, x);
              sum[at] += place < 0 ? 0 : term.of(part, o, place);
            }
          }
        }
      }
    }
    return Tensors.of(sum, sizes);
  }

  /** {@code Σ s ⊙ embed(W)}, float64. */
  public Tensor equivalentKernel() {
    return sum(parts, (part, o, place) -> part.scales[o] * part.kernel[place]);
  }

  /** {@code Σ s^power ⊙ support}, float64. */
  public Tensor mult(int power) {
    return sum(parts, (part, o, place) -> Math.pow(part.scales[o], power));
  }

  /** {@code s ⊙ support} of one branch, float64. */
  public Tensor support(int branch) {
    return sum(parts.subList(branch, branch + 1), (part, o, place) -> part.scales[o]);
  }

  /** The block's output for {@code [n, in, h, w]} by its definition, float64. */
  public Tensor forward(Tensor input) {
    double[] x = Tensors.toDoubles(input);
    int n = (int) input.size(0);
    int h = (int) input.size(2);
    int w = (int) input.size(3);
    int height = (h + 2 * shape.paddingH() - shape.kh()) / shape.stride() + 1;
    int width = (w + 2 * shape.paddingW() - shape.kw()) / shape.stride() + 1;
    double[] y = new double[n * shape.out() * height * width];
    int at = 0;
    for (int image = 0; image < n; image++) {
      for (int o = 0; o < shape.out(); o++) {
        for (int p = 0; p < height; p++) {
          for (int q = 0; q < width; q++, at++) {
            for (Part part : parts) {
              y[at] += part.scales[o] * branch(part, x, image, h, w, o, p, q);
            }
          }
        }
      }
    }
    return Tensors.of(y, n, shape.out(), height, width);
  }

  private double branch(Part part, double[] x, int image, int h, int w, int o, int p, int q) {
    int narrow = shape.in() / part.groups;
    int first = o / (shape.out() / part.groups) * narrow;
    int top = p * shape.stride() - shape.paddingH() + (shape.kh() - part.kh) / 2;
    int left = q * shape.stride() - shape.paddingW() + (shape.kw() - part.kw) / 2;
    double sum = 0;
    for (int c = 0; c < narrow; c++) {
      for (int u = 0; u < part.kh; u++) {
        for (int v = 0; v < part.kw; v++) {
          boolean inside = top + u >= 0 && top + u < h && left + v >= 0 && left + v < w;
          sum +=
              inside
                  ? part.kernel[((o * narrow + c) * part.kh + u) * part.kw + v]
                      * x[((image * shape.in() + first + c) * h + top + u) * w + left + v]
                  : 0;
        }
      }
    }
    return sum;
  }
}
