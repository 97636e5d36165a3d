package org.repopt4j.runtime;

import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The shared libraries that are mapped into this process on Linux; none on other systems. */
final class LoadedLibraries {
  private static final Path MAPS = Path.of("/proc/self/maps");

  private final ImmutableList<Path> files;

  private LoadedLibraries(List<Path> files) {
    this.files = ImmutableList.copyOf(files);
  }

  /** What is loaded at this moment. */
  static LoadedLibraries now() {
    if (!Files.isReadable(MAPS)) {
      return new LoadedLibraries(List.of());
    }
    try {
      return new LoadedLibraries(
          Files.readAllLines(MAPS).stream()
              .filter(line -> line.contains(".so"))
              .filter(line -> line.indexOf('/') >= 0)
              .map(line -> Path.of(line.substring(line.indexOf('/'))))
              .distinct()
              .toList());
    } catch (IOException e) {
      return new LoadedLibraries(
          List.of()); // The kernel forbids it: nothing is known to be loaded.
    }
  }

  /**
   * Where a library was loaded from.
   *
   * @param name as it is linked to, for example {@code libcuda.so.1}, whose file may end in a
   *     longer version
   */
  Optional<Path> find(String name) {
    String stem = name.substring(0, name.indexOf(".so") + ".so".length());
    return files.stream()
        .filter(file -> file.getFileName().toString().startsWith(stem))
        .findFirst();
  }
}
