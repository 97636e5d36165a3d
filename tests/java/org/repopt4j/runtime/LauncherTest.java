package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the launcher sets for Java, which is a script here that shows it. */
class LauncherTest {
  @TempDir private Path root;

  @BeforeEach
  void aDistribution() throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "needs a shell");
    Files.createDirectories(root.resolve("lib"));
    Path bin = Files.createDirectories(root.resolve("bin"));
    for (String script : new String[] {"repopt", "cuda-libraries.sh"}) {
      Files.copy(Path.of("native-config/launcher", script), bin.resolve(script));
    }
    Path java = Files.createDirectories(root.resolve("java/bin")).resolve("java");
    Files.writeString(root.resolve("java/release"), "JAVA_VERSION=\"17.0.1\"\n");
    Files.writeString(java, "#!/bin/sh\necho \"[${CUBLAS_WORKSPACE_CONFIG-unset}]\"\n");
    assertTrue(java.toFile().setExecutable(true));
  }

  private String shown(Map<String, String> environment) throws IOException, InterruptedException {
    ProcessBuilder launcher =
        new ProcessBuilder("/bin/sh", root.resolve("bin/repopt").toString(), "doctor");
    launcher.environment().clear();
    launcher.environment().put("JAVA_HOME", root.resolve("java").toString());
    launcher.environment().put("PATH", "/usr/bin:/bin");
    launcher.environment().putAll(environment);
    Process process = launcher.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(10, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), output);
    return output.strip();
  }

  /** libtorch refuses products on CUDA under --deterministic where cuBLAS is not set up for it. */
  @Test
  void aCudaDistributionSetsCublasUpForReproducibleProducts()
      throws IOException, InterruptedException {
    Files.createFile(root.resolve("lib/pytorch-1.0-linux-x86_64-gpu.jar"));
    assertEquals("[:4096:8]", shown(Map.of()));
    assertEquals("[:16:8]", shown(Map.of("CUBLAS_WORKSPACE_CONFIG", ":16:8")));
  }

  @Test
  void aDistributionForTheCpuLeavesCublasAlone() throws IOException, InterruptedException {
    assertEquals("[unset]", shown(Map.of()));
  }
}
