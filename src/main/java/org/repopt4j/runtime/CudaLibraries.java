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
import java.util.Optional;
import java.util.Set;

/**
 * Where the CUDA libraries that the GPU build of libtorch loads lie on this Linux machine, without
 * loading any of them.
 */
public final class CudaLibraries {

  /**
   * One library.
   *
   * @param file its file name
   * @param purpose what needs it
   * @param source how to get it
   */
  public record Library(String file, String purpose, String source) {}

  /**
   * What was found of one library.
   *
   * @param library the library
   * @param path the first place that holds it, if any
   */
  public record Finding(Library library, Optional<Path> path) {}

  private static final String TOOLKIT = "a CUDA 13 toolkit or pip's nvidia packages";

  private static final ImmutableList<Library> LIBRARIES =
      ImmutableList.of(
          new Library(
              "libcuda.so.1", "the driver; any use of a GPU", "the NVIDIA driver for CUDA 13"),
          new Library(
              "libcudart.so.13", "the runtime", TOOLKIT + ", or cuda-redist on the class path"),
          new Library("libcublas.so.13", "matrix products", TOOLKIT),
          new Library("libcublasLt.so.13", "matrix products", TOOLKIT),
          new Library(
              "libcudnn.so.9", "convolutions", "cuDNN 9 for CUDA 13 or pip's nvidia-cudnn-cu13"),
          new Library("libcusparse.so.12", "loading libtorch", TOOLKIT),
          new Library("libcusolver.so.12", "loading libtorch", TOOLKIT),
          new Library("libcufft.so.12", "loading libtorch", TOOLKIT),
          new Library("libnccl.so.2", "several GPUs", "NCCL 2 or pip's nvidia-nccl-cu13"),
          new Library("libcupti.so.13", "profiling; loading libtorch", TOOLKIT),
          new Library("libnvrtc.so.13", "kernels compiled at run time", TOOLKIT));

  private final ImmutableList<Path> folders;

  private CudaLibraries(List<Path> folders) {
    this.folders = ImmutableList.copyOf(folders);
  }

  /**
   * Looks in {@code LD_LIBRARY_PATH}, {@code CUDA_HOME}, the system's folders and pip's {@code
   * nvidia} packages.
   */
  public static CudaLibraries ofThisMachine() {
    Set<Path> folders = new LinkedHashSet<>();
    for (String entry :
        Splitter.on(File.pathSeparatorChar)
            .omitEmptyStrings()
            .split(environment("LD_LIBRARY_PATH"))) {
      folders.add(Path.of(entry));
    }
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
      if (!environment(variable).isEmpty()) {
        folders.add(Path.of(environment(variable), "lib64"));
      }
    }
    folders.add(Path.of("/usr/local/cuda/lib64"));
    folders.add(Path.of("/usr/lib/x86_64-linux-gnu"));
    folders.add(Path.of("/lib/x86_64-linux-gnu"));
    folders.add(Path.of("/usr/lib64"));
    folders.add(Path.of("/usr/local/nvidia/lib64"));
    for (String root : List.of("/usr/lib", "/usr/local/lib", environment("VIRTUAL_ENV") + "/lib")) {
      folders.addAll(pipFolders(Path.of(root)));
    }
    return new CudaLibraries(new ArrayList<>(folders));
  }

  /** The folders in the order in which they are searched. */
  public List<Path> folders() {
    return folders;
  }

  /** Each library and the first folder that holds it. */
  public List<Finding> find() {
    ImmutableList.Builder<Finding> findings = ImmutableList.builder();
    for (Library library : LIBRARIES) {
      findings.add(
          new Finding(
              library,
              folders.stream()
                  .map(f -> f.resolve(library.file()))
                  .filter(Files::exists)
                  .findFirst()));
    }
    return findings.build();
  }

  private static List<Path> pipFolders(Path root) {
    List<Path> found = new ArrayList<>();
    for (Path python : list(root, "python3*")) {
      for (String packages : List.of("site-packages", "dist-packages")) {
        for (Path vendor : list(python.resolve(packages).resolve("nvidia"), "*")) {
          if (Files.isDirectory(vendor.resolve("lib"))) {
            found.add(vendor.resolve("lib"));
          }
        }
      }
    }
    return found;
  }

  private static List<Path> list(Path folder, String glob) {
    List<Path> entries = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, glob)) {
        stream.forEach(entries::add);
      } catch (IOException e) {
        return entries; // A folder that cannot be read holds nothing that could be loaded.
      }
    }
    entries.sort(null);
    return entries;
  }

  private static String environment(String name) {
    return System.getenv().getOrDefault(name, "");
  }
}
