package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Where CUDA is looked for, on made-up machines; each case also by the launcher's shell function,
 * which must find the same folders in the same order.
 */
class CudaLibrariesTest {
  private static final Path SCRIPT = Path.of("native-config/launcher/cuda-libraries.sh");

  @TempDir private Path root;
  private final Map<String, String> environment = new LinkedHashMap<>();

  @BeforeEach
  void noCudaOfThisMachineItself() throws IOException {
    for (String prefix : new String[] {"/usr", "/usr/local"}) {
      assumeTrue(
          CudaLibraries.ofEnvironment(Map.of("HOME", prefix, "PATH", "")).isEmpty(),
          "needs a machine without Python packages of CUDA 13");
    }
    environment.put("HOME", root.resolve("home").toString());
    environment.put("PATH", Files.createDirectories(root.resolve("bin")).toString());
  }

  private Path file(String path) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    return Files.createFile(file);
  }

  private void python(String path) throws IOException {
    assertTrue(file(path).toFile().setExecutable(true));
  }

  private void assertFolders(String... relative) throws IOException, InterruptedException {
    List<String> expected =
        List.of(relative).stream().map(folder -> root.resolve(folder).toString()).toList();
    assertEquals(
        expected,
        CudaLibraries.ofEnvironment(environment).stream().map(Object::toString).toList(),
        "found by the program");
    assertEquals(String.join(":", expected), pathOfTheLauncher(), "found by the launcher");
  }

  private String pathOfTheLauncher() throws IOException, InterruptedException {
    ProcessBuilder shell =
        new ProcessBuilder(
            "/bin/sh",
            "-euc",
            ". " + SCRIPT.toAbsolutePath() + "; cuda_library_path; echo \"${LD_LIBRARY_PATH:-}\"");
    shell.environment().clear();
    shell.environment().putAll(environment);
    // The script calls readlink, which must be found after the made-up folders only.
    shell.environment().merge("PATH", "/usr/bin:/bin", (ours, theirs) -> ours + ":" + theirs);
    shell.redirectErrorStream(true);
    Process process = shell.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(10, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), output);
    return output.strip();
  }

  @Test
  void nothingIsFoundWhereThereIsNothing() throws IOException, InterruptedException {
    assertFolders();
  }

  @Test
  void whatTheUserSetComesFirst() throws IOException, InterruptedException {
    environment.put("LD_LIBRARY_PATH", root.resolve("own").toString());
    environment.put("CUDA_HOME", root.resolve("toolkit").toString());
    environment.put("CUDA_PATH", root.resolve("without").toString());
    file("toolkit/lib64/libcublas.so.13");
    file("toolkit/targets/x86_64-linux/lib/libcublas.so.13");
    file("without/lib64/libcublas.so.12");
    assertFolders("own", "toolkit/lib64", "toolkit/targets/x86_64-linux/lib");
  }

  @Test
  void packagesOfAVirtualEnvironmentLieBesideTheLinkToItsPython()
      throws IOException, InterruptedException {
    python("system/bin/python3.12");
    Files.createDirectories(root.resolve("venv/bin"));
    Files.createSymbolicLink(
        root.resolve("venv/bin/python3"), root.resolve("system/bin/python3.12"));
    environment.put("PATH", root.resolve("bin") + ":" + root.resolve("venv/bin"));
    file("venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13");
    file("venv/lib/python3.12/site-packages/nvidia/cudnn/lib/libcudnn.so.9");
    file("venv/lib/python3.12/site-packages/nvidia/nccl/lib/libnccl.so.2");
    file("venv/lib/python3.12/site-packages/nvidia/headers/include/nothing.h");
    assertFolders(
        "venv/lib/python3.12/site-packages/nvidia/cu13/lib",
        "venv/lib/python3.12/site-packages/nvidia/cudnn/lib",
        "venv/lib/python3.12/site-packages/nvidia/nccl/lib");
  }

  @Test
  void packagesOfALinkedPythonLieBesideItsTarget() throws IOException, InterruptedException {
    python("opt/python/bin/python3.13");
    Files.createSymbolicLink(
        root.resolve("bin/python3"), root.resolve("opt/python/bin/python3.13"));
    file("opt/python/lib/python3.13/dist-packages/nvidia/cublas/lib/libcublas.so.13");
    assertFolders("opt/python/lib/python3.13/dist-packages/nvidia/cublas/lib");
  }

  @Test
  void packagesForCuda12AreLeftAloneAlthoughTheirCudnnHasTheSameName()
      throws IOException, InterruptedException {
    python("bin/python3");
    file("lib/python3.11/site-packages/nvidia/cublas/lib/libcublas.so.12");
    file("lib/python3.11/site-packages/nvidia/cudnn/lib/libcudnn.so.9");
    file("home/.local/lib/python3.11/site-packages/nvidia/cu13/lib/libcublas.so.13");
    assertFolders("home/.local/lib/python3.11/site-packages/nvidia/cu13/lib");
  }

  @Test
  void anActiveEnvironmentWins() throws IOException, InterruptedException {
    python("bin/python3");
    file("lib/python3.11/site-packages/nvidia/cu13/lib/libcublas.so.13");
    file("active/lib/python3.11/site-packages/nvidia/cu13/lib/libcublas.so.13");
    environment.put("VIRTUAL_ENV", root.resolve("active").toString());
    assertFolders("active/lib/python3.11/site-packages/nvidia/cu13/lib");
  }

  @Test
  void condaBringsItsOwnLibrariesAndPackages() throws IOException, InterruptedException {
    environment.put("CONDA_PREFIX", root.resolve("conda").toString());
    file("conda/lib/libcublas.so.13");
    file("conda/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13");
    assertFolders("conda/lib", "conda/lib/python3.12/site-packages/nvidia/cu13/lib");
  }

  @Test
  void everyLibraryIsReportedOnceWithAWayToGetIt() {
    List<CudaLibraries.Finding> findings = CudaLibraries.ofThisMachine().find();
    assertEquals(CudaLibrary.all(), findings.stream().map(f -> f.library()).toList());
    assertEquals(
        CudaLibrary.all().size(), CudaLibrary.all().stream().map(f -> f.file()).distinct().count());
    for (CudaLibrary library : CudaLibrary.all()) {
      assertTrue(library.file().matches("lib\\w+\\.so\\.\\d+"), library.file());
      assertTrue(library.source().contains("install"), library.source());
    }
  }
}
