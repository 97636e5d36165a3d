package org.repopt4j.nn;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Joiner;
import com.google.common.collect.ImmutableList;
import com.google.common.primitives.Ints;
import java.math.BigDecimal;
import java.util.List;
import org.repopt4j.csla.KernelShape;

/** RepOpt-VGG (official {@code repoptvgg_model.py}): stage 0 is one block, four stages follow. */
final class VggArchitecture extends Architecture {
  static final ImmutableList<Integer> STRIDES = ImmutableList.of(2, 2, 2, 2, 2);

  /**
   * One block.
   *
   * @param stage 0 to 4
   * @param index in its stage
   */
  record Row(int stage, int index, int in, int out, int stride) {
    BlockSpec spec() {
      return BlockSpec.vgg(stage == 0 ? "stage0" : "stage" + stage + "." + index, in, out, stride);
    }
  }

  // The numbers may come from a file, and a stage of a thousand million blocks is an attack.
  private static final int MOST_BLOCKS = 1000;

  private final ImmutableList<Integer> blocks;
  private final ImmutableList<Double> widths;
  private final ImmutableList<Integer> strides;
  private final boolean postSe;
  private final ImmutableList<Row> rows;

  VggArchitecture(
      String name,
      List<Integer> blocks,
      List<Double> widths,
      List<Integer> strides,
      boolean postSe) {
    super(name);
    checkArgument(
        blocks.size() == 4 && blocks.stream().allMatch(b -> b >= 1 && b <= MOST_BLOCKS),
        "blocks must be four numbers of at least 1 and at most 1000, for stages 1 to 4, got: %s",
        blocks);
    checkArgument(
        widths.size() == 4 && widths.stream().allMatch(Double::isFinite),
        "width must be four numbers, for stages 1 to 4, got: %s",
        widths);
    checkArgument(
        strides.size() == 5 && strides.stream().allMatch(s -> s >= 1),
        "strides must be five numbers of at least 1, for stages 0 to 4, got: %s",
        strides);
    this.blocks = ImmutableList.copyOf(blocks);
    this.widths = ImmutableList.copyOf(widths);
    this.strides = ImmutableList.copyOf(strides);
    this.postSe = postSe;
    this.rows = rows(this.blocks, this.widths, this.strides);
    for (Row row : rows) {
      checkArgument(
          row.out >= (postSe ? 4 : 1) && row.out <= 1 << 20,
          "width %s gives stage %s a number of channels out of range: %s",
          widths,
          row.stage,
          row.out);
    }
  }

  private static ImmutableList<Row> rows(
      List<Integer> blocks, List<Double> widths, List<Integer> strides) {
    ImmutableList.Builder<Row> rows = ImmutableList.builder();
    int in = Math.min(64, (int) (64 * widths.get(0)));
    rows.add(new Row(0, 0, 3, in, strides.get(0)));
    for (int stage = 1; stage <= 4; stage++) {
      int out = (int) ((32 << stage) * widths.get(stage - 1));
      for (int i = 0; i < blocks.get(stage - 1); i++) {
        rows.add(new Row(stage, i, in, out, i == 0 ? strides.get(stage) : 1));
        in = out;
      }
    }
    return rows.build();
  }

  ImmutableList<Row> rows() {
    return rows;
  }

  boolean postSe() {
    return postSe;
  }

  /** The channels that the linear layer sees. */
  int features() {
    return rows.get(rows.size() - 1).out;
  }

  @Override
  public List<BlockSpec> blocks() {
    return rows.stream().map(Row::spec).collect(ImmutableList.toImmutableList());
  }

  @Override
  public Architecture withPostSe() {
    return new VggArchitecture(name(), blocks, widths, strides, true);
  }

  @Override
  public Architecture withStrides(int... values) {
    return new VggArchitecture(
        name(), blocks, widths, ImmutableList.copyOf(Ints.asList(values)), postSe);
  }

  @Override
  Network create(Mode mode, int numClasses) {
    return new RepOptVgg(this, mode, numClasses);
  }

  @Override
  void count(Tally tally, Mode mode, int numClasses) {
    for (Row row : rows) {
      KernelShape shape = row.spec().shape();
      int others = row.spec().hasIdentity() ? 2 : 1;
      if (mode.hasScales() || mode == Mode.MULTI_BRANCH) {
        tally.branch(KernelShape.of(row.out, row.in, 1, 1).withStride(row.stride));
        // Each branch has a scale, or each other branch a BN beside the 3x3's that follows below.
        tally.parameters((long) row.out * (mode.hasScales() ? others + 1 : 2 * others));
      }
      tally.convBn(shape, mode);
      if (postSe) {
        tally.squeezeExcite(row.out, row.out / 4);
      }
    }
    tally.pool();
    tally.linear(features(), numClasses);
  }

  @Override
  public String spec() {
    StringBuilder spec = new StringBuilder(name());
    char separator = ':';
    if (name().equals("custom")) {
      spec.append(":blocks=").append(Joiner.on(',').join(blocks)).append(";width=");
      Joiner.on(',').appendTo(spec, widths.stream().map(VggArchitecture::plain).iterator());
      separator = ';';
    }
    boolean asNamed =
        !name().equals("custom") && strides.equals(((VggArchitecture) named(name())).strides);
    if (!asNamed) {
      spec.append(separator).append("strides=").append(Joiner.on(',').join(strides));
      separator = ';';
    }
    return postSe ? spec.append(separator).append("se=true").toString() : spec.toString();
  }

  private static String plain(double width) {
    return BigDecimal.valueOf(width).stripTrailingZeros().toPlainString();
  }
}
