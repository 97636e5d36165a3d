package org.repopt4j.search;

import com.google.common.base.CharMatcher;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Scales;

/**
 * Searched scales in a file: safetensors with the official state-dict names of the scales alone
 * ({@code stage0.scale_conv.weight} …) and their provenance as the file's metadata. Reading also
 * takes the released {@code .pth} files and whole hyper-search checkpoints.
 */
public final class ScalesFile {
  private ScalesFile() {}

  /**
   * Reads the scales of an architecture.
   *
   * @throws IOException if the file cannot be read or holds no tensors
   * @throws IllegalArgumentException if its scales do not fit the architecture, naming the first
   *     block that differs
   */
  public static Scales read(Path path, Architecture architecture) throws IOException {
    try (TensorFile file = StateDicts.read(path)) {
      return read(path, file, architecture);
    }
  }

  private static Scales read(Path path, TensorFile file, Architecture architecture) {
    String searched = file.metadata().get("architecture");
    try {
      return Scales.fromStateDict(file.tensors(), architecture);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          path
              + ": "
              + e.getMessage()
              + (searched == null
                  ? ""
                  : " (the file says that it was searched for "
                      + CharMatcher.javaIsoControl().replaceFrom(searched, '?')
                      + ")"),
          e);
    }
  }

  /**
   * Writes scales and where they are from; the file appears whole or not at all.
   *
   * @param provenance for example architecture, data, epochs, seed
   */
  public static void write(Path path, Scales scales, Map<String, String> provenance)
      throws IOException {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", "pt");
    metadata.putAll(provenance);
    StateDicts.write(path, scales.toStateDict(), metadata);
  }
}
