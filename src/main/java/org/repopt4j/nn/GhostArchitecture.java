package org.repopt4j.nn;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.repopt4j.csla.KernelShape;

/** RepOpt-GhostNet (official {@code repoptghostnet_model.py}), with the stages of RepGhost. */
final class GhostArchitecture extends Architecture {
  static final ImmutableList<String> WIDTHS =
      ImmutableList.of("0.5", "0.58", "0.8", "1.0", "1.11", "1.3", "1.5", "2.0");
  static final int HEAD = 1280;

  // Per stage and bottleneck: kernel, expansion, channels, squeeze-and-excitation, stride.
  private static final int[][][] STAGES = {
    {{3, 8, 16, 0, 1}},
    {{3, 24, 24, 0, 2}},
    {{3, 36, 24, 0, 1}},
    {{5, 36, 40, 1, 2}},
    {{5, 60, 40, 1, 1}},
    {{3, 120, 80, 0, 2}},
    {
      {3, 100, 80, 0, 1},
      {3, 120, 80, 0, 1},
      {3, 120, 80, 0, 1},
      {3, 240, 112, 1, 1},
      {3, 336, 112, 1, 1}
    },
    {{5, 336, 160, 1, 2}},
    {{5, 480, 160, 0, 1}, {5, 480, 160, 1, 1}, {5, 480, 160, 0, 1}, {5, 480, 160, 1, 1}}
  };

  /**
   * One bottleneck.
   *
   * @param mid channels between its two Ghost modules
   * @param k kernel of its own depthwise convolutions, those of stride 2 and of the shortcut
   * @param depth its place in a run of bottlenecks of the same width, from 1: the deeper, the
   *     smaller the scales with which hyper-search begins
   */
  record Row(
      int stage, int index, int in, int mid, int out, int k, int stride, boolean se, int depth) {
    String name() {
      return "blocks." + stage + "." + index;
    }

    boolean hasIdentityShortcut() {
      return in == out && stride == 1;
    }

    KernelShape depthwise(int channels) {
      return KernelShape.depthwise(channels, k).withStride(stride);
    }

    List<BlockSpec> specs() {
      return ImmutableList.of(
          BlockSpec.ghost(name() + ".ghost1", mid, 3), BlockSpec.ghost(name() + ".ghost2", out, 3));
    }
  }

  private final int stem;
  private final int last;
  private final ImmutableList<Row> rows;

  GhostArchitecture(String name, double width) {
    super(name);
    this.stem = makeDivisible(16 * width);
    this.rows = rows(stem, width);
    int[][] lastStage = STAGES[STAGES.length - 1];
    this.last = makeDivisible(lastStage[lastStage.length - 1][1] * width * 2);
  }

  private static ImmutableList<Row> rows(int stem, double width) {
    ImmutableList.Builder<Row> rows = ImmutableList.builder();
    int in = stem;
    int depth = 0;
    for (int stage = 0; stage < STAGES.length; stage++) {
      for (int i = 0; i < STAGES[stage].length; i++) {
        int[] cfg = STAGES[stage][i];
        int out = makeDivisible(cfg[2] * width);
        depth = cfg[4] == 1 && in == out ? depth + 1 : 1;
        int mid = makeDivisible(cfg[1] * width);
        rows.add(new Row(stage, i, in, mid, out, cfg[0], cfg[4], cfg[3] == 1, depth));
        in = out;
      }
    }
    return rows.build();
  }

  /** The nearest multiple of 4 that is at least 4 and not more than a tenth below (official). */
  static int makeDivisible(double channels) {
    int rounded = Math.max(4, (int) (channels + 2) / 4 * 4);
    return rounded < 0.9 * channels ? rounded + 4 : rounded;
  }

  /** Channels of the first convolution. */
  int stem() {
    return stem;
  }

  /** Channels of the last convolution before the pooling. */
  int last() {
    return last;
  }

  ImmutableList<Row> rows() {
    return rows;
  }

  @Override
  public String spec() {
    return name();
  }

  @Override
  public List<BlockSpec> blocks() {
    return rows.stream()
        .flatMap(row -> row.specs().stream())
        .collect(ImmutableList.toImmutableList());
  }

  @Override
  public Architecture withPostSe() {
    throw new IllegalArgumentException(
        name() + " has squeeze-and-excitation of its own; post-SE is for RepOpt-VGG");
  }

  @Override
  public Architecture withStrides(int... strides) {
    throw new IllegalArgumentException(
        "the strides of " + name() + " are fixed; strides can be chosen for RepOpt-VGG");
  }

  @Override
  Network create(Mode mode, int numClasses) {
    return new RepOptGhostNet(this, mode, numClasses);
  }

  @Override
  void count(Tally tally, Mode mode, int numClasses) {
    tally.convBn(KernelShape.of(stem, 3, 3, 3).withStride(2), mode);
    for (Row row : rows) {
      if (!row.hasIdentityShortcut()) {
        tally.branch(row.depthwise(row.in));
        tally.normOrBias(row.in, mode);
        tally.branch(KernelShape.of(row.out, row.in, 1, 1).withStride(row.stride));
        tally.normOrBias(row.out, mode);
      }
      ghostModule(tally, row.in, row.mid, mode);
      if (row.stride > 1) {
        tally.convBn(row.depthwise(row.mid), mode);
      }
      if (row.se) {
        tally.squeezeExcite(row.mid, SqueezeExcite.ghostReduced(row.mid));
      }
      ghostModule(tally, row.mid, row.out, mode);
    }
    tally.convBn(KernelShape.of(last, rows.get(rows.size() - 1).out, 1, 1), mode);
    tally.pool();
    tally.linear(last, HEAD);
    tally.linear(HEAD, numClasses);
  }

  private static void ghostModule(Tally tally, int in, int out, Mode mode) {
    tally.convBn(KernelShape.of(out, in, 1, 1), mode);
    tally.convBn(KernelShape.depthwise(out, 3), mode);
    if (mode.hasScales() || mode == Mode.MULTI_BRANCH) {
      tally.parameters(2L * out);
    }
  }
}
