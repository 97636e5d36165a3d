package org.repopt4j.runtime;

import com.google.common.base.Splitter;
import com.google.common.collect.ImmutableList;
import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.Loader;

/**
 * Where the CUDA libraries lie on this Linux machine, found without loading any of them.
 *
 * <p>The system's loader reads {@code LD_LIBRARY_PATH} once, when a process starts. The launcher
 * therefore looks for a CUDA toolkit and for Python's packages too ({@code
 * native-config/launcher/cuda-libraries.sh}, by the same rules as here) and puts what it finds on
 * that path. A Python installation counts only where {@code libcublas.so.13} is among its packages,
 * because cuDNN and NCCL for CUDA 12 have the same file names as those for CUDA 13.
 */
public final class CudaLibraries {

  /**
   * What was found of one library.
   *
   * @param library the library
   * @param path where it was loaded from, otherwise the first place that holds it
   * @param loaded whether this process has loaded it
   */
  public record Finding(CudaLibrary library, Optional<Path> path, boolean loaded) {}

  private static final String PROOF_OF_CUDA_13 = "libcublas.so.13";

  private final ImmutableList<Path> folders;

  private CudaLibraries(Set<Path> folders) {
    this.folders = ImmutableList.copyOf(folders);
  }

  /** Looks with the environment of this process and in the system's folders. */
  public static CudaLibraries ofThisMachine() {
    Set<Path> folders = new LinkedHashSet<>(ofEnvironment(System.getenv()));
    for (Path list : entries(Path.of("/etc/ld.so.conf.d"), "*.conf")) {
      folders.addAll(foldersOf(list));
    }
    for (String system :
        List.of(
            "/lib/x86_64-linux-gnu",
            "/usr/lib/x86_64-linux-gnu",
            "/lib64",
            "/usr/lib64",
            "/usr/local/nvidia/lib64",
            "/usr/local/cuda/lib64")) {
      folders.add(Path.of(system));
    }
    return new CudaLibraries(folders);
  }

  /**
   * The folders that an environment speaks of: {@code LD_LIBRARY_PATH}, {@code CUDA_HOME} and
   * {@code CUDA_PATH}, {@code CONDA_PREFIX}, and the packages of the first Python that has CUDA 13.
   */
  static List<Path> ofEnvironment(Map<String, String> environment) {
    Set<Path> folders = new LinkedHashSet<>();
    split(environment.get("LD_LIBRARY_PATH")).forEach(entry -> folders.add(Path.of(entry)));
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH", "CONDA_PREFIX")) {
      String home = environment.getOrDefault(variable, "");
      for (String lib : List.of("lib64", "lib", "targets/x86_64-linux/lib")) {
        if (!home.isEmpty() && Files.exists(Path.of(home, lib, PROOF_OF_CUDA_13))) {
          folders.add(Path.of(home, lib));
        }
      }
    }
    for (Path prefix : pythonPrefixes(environment)) {
      List<Path> packages = packageFolders(prefix);
      if (!packages.isEmpty()) {
        folders.addAll(packages);
        break;
      }
    }
    return List.copyOf(folders);
  }

  /** Where a Python and its packages can be: the active ones first. */
  private static Set<Path> pythonPrefixes(Map<String, String> environment) {
    Set<Path> prefixes = new LinkedHashSet<>();
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      split(environment.get(variable)).forEach(prefix -> prefixes.add(Path.of(prefix)));
    }
    for (String folder : split(environment.get("PATH"))) {
      Path python = Path.of(folder, "python3");
      if (Files.isExecutable(python)) {
        // The packages of a virtual environment lie beside the link, those of others beside its
        // target.
        prefixes.add(prefixOf(python));
        resolved(python).ifPresent(target -> prefixes.add(prefixOf(target)));
      }
    }
    split(environment.get("HOME")).forEach(home -> prefixes.add(Path.of(home, ".local")));
    prefixes.add(Path.of("/usr/local"));
    prefixes.add(Path.of("/usr"));
    return prefixes;
  }

  private static Path prefixOf(Path python) {
    return python.toAbsolutePath().resolve("../..").normalize();
  }

  private static Optional<Path> resolved(Path link) {
    try {
      return Optional.of(link.toRealPath());
    } catch (IOException e) {
      return Optional.empty(); // A link that leads nowhere.
    }
  }

  private static List<Path> packageFolders(Path prefix) {
    for (String packages : List.of("site-packages", "dist-packages")) {
      for (Path python : entries(prefix.resolve("lib"), "python3*")) {
        List<Path> libraries =
            entries(python.resolve(packages).resolve("nvidia"), "*").stream()
                .map(vendor -> vendor.resolve("lib"))
                .filter(Files::isDirectory)
                .toList();
        if (libraries.stream().anyMatch(lib -> Files.exists(lib.resolve(PROOF_OF_CUDA_13)))) {
          return libraries;
        }
      }
    }
    return List.of();
  }

  /** The folders in the order in which they are searched. */
  public List<Path> folders() {
    return folders;
  }

  /** Each library: loaded already, on the class path, or in one of the folders. */
  public List<Finding> find() {
    LoadedLibraries loaded = LoadedLibraries.now();
    ImmutableList.Builder<Finding> findings = ImmutableList.builder();
    for (CudaLibrary library : CudaLibrary.all()) {
      Optional<Path> file = loaded.find(library.file());
      Optional<Path> place = file.or(() -> onClassPath(library)).or(() -> inFolder(library));
      findings.add(new Finding(library, place, file.isPresent()));
    }
    return findings.build();
  }

  private Optional<Path> inFolder(CudaLibrary library) {
    return folders.stream()
        .map(folder -> folder.resolve(library.file()))
        .filter(Files::exists)
        .findFirst();
  }

  /** The presets load what is on the class path first. */
  private static Optional<Path> onClassPath(CudaLibrary library) {
    String resource = "org/bytedeco/cuda/" + Loader.getPlatform() + "/" + library.file();
    boolean there = Loader.class.getClassLoader().getResource(resource) != null;
    return there ? Optional.of(Path.of("cuda-redist", library.file())) : Optional.empty();
  }

  private static List<Path> foldersOf(Path list) {
    try {
      return Files.readAllLines(list).stream()
          .map(String::trim)
          .filter(line -> line.startsWith("/"))
          .map(Path::of)
          .toList();
    } catch (IOException e) {
      return List.of(); // The loader skips a list that it cannot read, too.
    }
  }

  private static List<Path> entries(Path folder, String glob) {
    List<Path> entries = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, glob)) {
        stream.forEach(entries::add);
      } catch (IOException e) {
        return List.of(); // A folder that cannot be read holds nothing that could be loaded.
      }
    }
    entries.sort(null);
    return entries;
  }

  private static List<String> split(String path) {
    return path == null
        ? List.of()
        : Splitter.on(File.pathSeparatorChar).omitEmptyStrings().splitToList(path);
  }
}
