package org.repopt4j.nn;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.List;
import org.repopt4j.runtime.Natives;

/**
 * The shape of a network, apart from its mode, its classes and its weights. Immutable.
 *
 * <pre>{@code
 * Network net = Architecture.named("RepOpt-VGG-B1").target(1000);
 * Architecture small = Architecture.parse("custom:blocks=1,2,2,1;width=0.25,0.25,0.25,0.25");
 * }</pre>
 */
public abstract sealed class Architecture permits VggArchitecture, GhostArchitecture {
  private final String name;

  Architecture(String name) {
    this.name = name;
  }

  /**
   * An architecture of the catalog: RepOpt-VGG-A0 … B3, L1, L2, tiny, and RepOpt-GhostNet-0.5x …
   * 2.0x.
   *
   * @param name whatever its case, with or without its separators
   * @throws IllegalArgumentException that lists the names and the nearest one
   */
  public static Architecture named(String name) {
    return Catalog.named(name);
  }

  /** The names of the catalog. */
  public static List<String> names() {
    return Catalog.names();
  }

  /**
   * A RepOpt-VGG of one's own.
   *
   * @param blocks of stages 1 to 4, each at least 1
   * @param widths of stages 1 to 4, multiples of 64, 128, 256 and 512 channels
   * @param strides of stages 0 to 4
   */
  public static Architecture custom(
      List<Integer> blocks, List<Double> widths, List<Integer> strides) {
    return new VggArchitecture("custom", blocks, widths, strides, false);
  }

  /**
   * Reads what {@link #spec()} wrote: a name of the catalog or {@code custom}, then, after a colon,
   * {@code key=value} pairs separated by semicolons.
   *
   * <pre>
   * RepOpt-VGG-B1
   * RepOpt-VGG-B1:strides=2,1,2,2,2;se=true
   * custom:blocks=1,2,2,1;width=0.25,0.25,0.25,0.25;strides=1,1,2,2,2
   * </pre>
   *
   * @throws IllegalArgumentException that names the key, the value and the way out
   */
  public static Architecture parse(String spec) {
    return ArchitectureSpec.parse(spec);
  }

  /** The name in the catalog, or {@code custom}. */
  public final String name() {
    return name;
  }

  /** Everything about it in one line that {@link #parse} reads. */
  public abstract String spec();

  /** Its CSLA blocks in the network's order. */
  public abstract List<BlockSpec> blocks();

  /**
   * The same with a squeeze-and-excitation block behind every block.
   *
   * @throws IllegalArgumentException if it is not a RepOpt-VGG
   */
  public abstract Architecture withPostSe();

  /**
   * The same with other strides of stages 0 to 4.
   *
   * @throws IllegalArgumentException if it is not a RepOpt-VGG, or if there are not five
   */
  public abstract Architecture withStrides(int... strides);

  abstract Network create(Mode mode, int numClasses);

  abstract void count(Tally tally, Mode mode, int numClasses);

  /**
   * A network with fresh weights from libtorch's default generator, on the CPU, in training mode.
   *
   * @param numClasses at least 1
   */
  public final Network build(Mode mode, int numClasses) {
    checkClasses(numClasses);
    Natives.load();
    return create(mode, numClasses);
  }

  /** {@link #build} of {@link Mode#TARGET}. */
  public final Network target(int numClasses) {
    return build(Mode.TARGET, numClasses);
  }

  /** {@link #build} of {@link Mode#CSLA}. */
  public final Network csla(int numClasses) {
    return build(Mode.CSLA, numClasses);
  }

  /** {@link #build} of {@link Mode#HS}. */
  public final Network hs(int numClasses) {
    return build(Mode.HS, numClasses);
  }

  /** {@link #build} of {@link Mode#MULTI_BRANCH}. */
  public final Network multiBranch(int numClasses) {
    return build(Mode.MULTI_BRANCH, numClasses);
  }

  /** How many numbers the parameters of such a network hold, constant scales too. */
  public final long parameters(Mode mode, int numClasses) {
    checkClasses(numClasses);
    Tally tally = new Tally(1);
    count(tally, mode, numClasses);
    return tally.parameters();
  }

  /**
   * The multiply-adds of all convolutions and linear layers for one square image (what papers on
   * networks call FLOPs; true floating-point operations are twice as many). BN, scales and
   * activations are not counted.
   *
   * @param imageSize height and width, at least 1
   */
  public final long multiplyAdds(Mode mode, int numClasses, int imageSize) {
    checkClasses(numClasses);
    checkArgument(imageSize >= 1, "the image size must be at least 1, got: %s", imageSize);
    Tally tally = new Tally(imageSize);
    count(tally, mode, numClasses);
    return tally.multiplyAdds();
  }

  private static void checkClasses(int numClasses) {
    checkArgument(numClasses >= 1, "classes must be at least 1, got: %s", numClasses);
  }

  /** Equal architectures have equal {@link #spec() specs}. */
  @Override
  public final boolean equals(Object other) {
    return other instanceof Architecture that && spec().equals(that.spec());
  }

  @Override
  public final int hashCode() {
    return spec().hashCode();
  }

  @Override
  public final String toString() {
    return spec();
  }
}
