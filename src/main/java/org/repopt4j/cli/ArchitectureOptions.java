package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Ascii;
import com.google.common.primitives.Doubles;
import com.google.common.primitives.Ints;
import org.repopt4j.nn.Architecture;
import picocli.CommandLine.Option;

/** Which architecture: a name of the catalog, or {@code custom} with its numbers. */
final class ArchitectureOptions {
  static final String DEFAULT = "RepOpt-VGG-tiny";

  @Option(
      names = "--arch",
      paramLabel = "NAME",
      description = "Architecture, see 'repopt models', or 'custom' (default: " + DEFAULT + ").")
  String arch;

  @Option(
      names = "--num-blocks",
      paramLabel = "N,N,N,N",
      description = "custom: blocks of the four stages, for example 1,2,2,1.")
  String numBlocks;

  @Option(
      names = "--width",
      paramLabel = "W,W,W,W",
      description =
          "custom: widths of the four stages, in parts of 64, 128, 256 and 512 channels, for example 0.5,0.5,0.5,1.")
  String width;

  @Option(
      names = "--strides",
      paramLabel = "S,S,S,S,S",
      description =
          "Strides of the first block and the four stages (default: 2,2,2,2,2 for custom).")
  String strides;

  @Option(names = "--post-se", description = "Squeeze-and-excitation after each block of a VGG.")
  boolean postSe;

  /** Whether an architecture is named; what only alters one is refused without it. */
  boolean given() {
    checkArgument(
        arch != null || (strides == null && !postSe && numBlocks == null && width == null),
        "--num-blocks, --width, --strides and --post-se need --arch here, got: %s",
        numBlocks != null
            ? "--num-blocks " + numBlocks
            : width != null
                ? "--width " + width
                : strides != null ? "--strides " + strides : "--post-se");
    return arch != null;
  }

  Architecture architecture() {
    String name = arch == null ? DEFAULT : arch;
    Architecture found;
    if (Ascii.equalsIgnoreCase(name, "custom")) {
      checkArgument(
          numBlocks != null && width != null,
          "--arch custom needs --num-blocks and --width, for example --num-blocks 1,2,2,1 --width 0.5,0.5,0.5,1");
      found =
          Architecture.custom(
              Ints.asList(Numbers.positiveInts("--num-blocks", numBlocks, 4)),
              Doubles.asList(Numbers.doubles("--width", width, 4)),
              Ints.asList(
                  Numbers.positiveInts("--strides", strides == null ? "2,2,2,2,2" : strides, 5)));
    } else {
      checkArgument(
          numBlocks == null && width == null,
          "--num-blocks and --width go with --arch custom, got: --arch %s",
          name);
      found = Architecture.parse(name);
      if (strides != null) {
        found = found.withStrides(Numbers.positiveInts("--strides", strides, 5));
      }
    }
    return postSe ? found.withPostSe() : found;
  }
}
