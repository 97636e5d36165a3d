package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaStatusTest {
  @TempDir private Path folder;

  private Optional<Integer> release(String text) throws IOException {
    return CudaStatus.driverRelease(Files.writeString(folder.resolve("version"), text));
  }

  @Test
  void theDriversReleaseIsReadFromEitherKindOfDriver() throws IOException {
    assertEquals(
        Optional.of(580),
        release(
            """
            NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build
            GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)
            """));
    assertEquals(
        Optional.of(535),
        release("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15"));
  }

  @Test
  void whatIsNoVersionFileSaysNothing() throws IOException {
    assertEquals(Optional.empty(), release("GCC version:  gcc version 580.1.0"));
    assertEquals(Optional.empty(), release(""));
    assertEquals(Optional.empty(), CudaStatus.driverRelease(folder.resolve("none")));
  }

  @Test
  void theReasonNamesWhatIsMissing() {
    assumeFalse(torch.cuda_is_available(), "needs a machine without CUDA");
    CudaStatus status = CudaStatus.ofThisProcess();
    assertFalse(status.usable());
    String reason = status.reason();
    assertTrue(reason.startsWith("no CUDA device can be used: "), reason);
    assertEquals(!Natives.isCudaBuild(), reason.contains("-Pcuda"), reason);
  }

  @Test
  void aLoadedLibraryIsFoundByTheNameItIsLinkedBy() {
    Natives.load();
    LoadedLibraries loaded = LoadedLibraries.now();
    assertTrue(loaded.find("libc10.so").orElseThrow().endsWith("libc10.so"));
    assertTrue(loaded.find("libc.so.6").isPresent());
    assertEquals(Optional.empty(), loaded.find("libnothing.so.1"));
  }
}
