package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Ascii;
import com.google.common.base.Splitter;
import com.google.common.primitives.Doubles;
import com.google.common.primitives.Ints;
import java.util.List;
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
      description = "custom: blocks of the four stages.")
  String numBlocks;

  @Option(
      names = "--width",
      paramLabel = "W,W,W,W",
      description = "custom: width multipliers of the four stages.")
  String width;

  @Option(
      names = "--strides",
      paramLabel = "S,S,S,S,S",
      description = "Strides of the first block and the four stages.")
  String strides;

  @Option(names = "--post-se", description = "Squeeze-and-excitation after each block of a VGG.")
  boolean postSe;

  boolean given() {
    return arch != null || numBlocks != null || width != null;
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
              Ints.asList(ints("--num-blocks", numBlocks, 4)),
              Doubles.asList(doubles("--width", width, 4)),
              Ints.asList(ints("--strides", strides == null ? "2,2,2,2,2" : strides, 5)));
    } else {
      checkArgument(
          numBlocks == null && width == null,
          "--num-blocks and --width go with --arch custom, got --arch %s",
          name);
      found = Architecture.named(name);
      if (strides != null) {
        found = found.withStrides(ints("--strides", strides, 5));
      }
    }
    return postSe ? found.withPostSe() : found;
  }

  private static int[] ints(String option, String text, int count) {
    List<String> parts = parts(option, text, count);
    int[] values = new int[count];
    for (int i = 0; i < count; i++) {
      Integer value = Ints.tryParse(parts.get(i));
      checkArgument(value != null, "%s takes whole numbers, got: '%s'", option, text);
      values[i] = value;
    }
    return values;
  }

  private static double[] doubles(String option, String text, int count) {
    List<String> parts = parts(option, text, count);
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      Double value = Doubles.tryParse(parts.get(i));
      checkArgument(value != null, "%s takes numbers, got: '%s'", option, text);
      values[i] = value;
    }
    return values;
  }

  private static List<String> parts(String option, String text, int count) {
    List<String> parts = Splitter.on(',').trimResults().splitToList(text);
    checkArgument(
        parts.size() == count,
        "%s takes %s numbers with commas between, got: '%s'",
        option,
        count,
        text);
    return parts;
  }
}
