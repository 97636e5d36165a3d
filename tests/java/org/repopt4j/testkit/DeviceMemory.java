package org.repopt4j.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.base.Splitter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.repopt4j.runtime.ProcessMemory;

/** How much memory the {@link TestDevice} has given away, asked apart from libtorch. */
public final class DeviceMemory {
  private DeviceMemory() {}

  /** Bytes in use: of a GPU, what its driver says of the whole device; otherwise this process's. */
  public static long used() throws IOException, InterruptedException {
    return TestDevice.isCuda() ? ofGpu() : ProcessMemory.resident().orElse(0);
  }

  private static long ofGpu() throws IOException, InterruptedException {
    Process smi =
        new ProcessBuilder(
                "nvidia-smi", "--id=0", "--query-gpu=memory.used", "--format=csv,noheader,nounits")
            .redirectErrorStream(true)
            .start();
    String output = new String(smi.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(smi.waitFor(30, TimeUnit.SECONDS), "nvidia-smi does not end");
    assertEquals(0, smi.exitValue(), output);
    return Long.parseLong(Splitter.on('\n').split(output).iterator().next().trim()) << 20;
  }
}
