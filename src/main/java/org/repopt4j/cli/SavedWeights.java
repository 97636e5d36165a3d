package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;

/** What a file of weights is for: what the options say, or else what the file says. */
final class SavedWeights {
  // Below this, building a network costs little, whatever the file asks for.
  private static final long FREE_PARAMETERS = 10_000_000;

  private SavedWeights() {}

  /** The architecture of the options, or else of the file's metadata. */
  static Architecture architecture(Path path, TensorFile file, ArchitectureOptions options) {
    if (options.given()) {
      return options.architecture();
    }
    String said = file.metadata().get("architecture");
    checkArgument(
        said != null,
        "%s does not say which architecture it is for; name it with --arch",
        (Object) path);
    return parsed(path, () -> Architecture.parse(said));
  }

  /** The mode of the option, or else of the file's metadata. */
  static Mode mode(Path path, TensorFile file, String option) {
    String said = option != null ? option : file.metadata().get("mode");
    checkArgument(
        said != null, "%s does not say which mode it is; name it with --mode", (Object) path);
    return option != null ? ModeOption.parse(option) : parsed(path, () -> Mode.parse(said));
  }

  private static <T> T parsed(Path path, Supplier<T> parser) {
    try {
      return parser.get();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(path + " says what cannot be: " + e.getMessage(), e);
    }
  }

  /** The rows of the last layer's weight, which are the classes, if there is such a layer. */
  static OptionalInt classes(TensorFile file) {
    for (String name : new String[] {"linear.weight", "classifier.weight"}) {
      Tensor weight = file.tensors().get(name);
      if (weight != null && weight.dim() == 2 && weight.numel() > 0) {
        return OptionalInt.of((int) Math.min(weight.size(0), Integer.MAX_VALUE));
      }
    }
    return OptionalInt.empty();
  }

  /**
   * Refuses to build a network that is many times larger than the file: a small file must not make
   * a process use all memory.
   */
  static void checkSize(Path path, TensorFile file, Architecture arch, Mode mode, int classes) {
    Map<String, Tensor> tensors = file.tensors();
    long values = tensors.values().stream().mapToLong(Tensor::numel).sum();
    long needed = arch.parameters(mode, classes);
    checkArgument(
        needed <= FREE_PARAMETERS || needed / 2 <= values,
        "%s holds %s numbers, but %s %s with %s classes has %s; name what the file is for with --arch and --mode",
        path,
        values,
        arch,
        mode,
        classes,
        needed);
  }
}
