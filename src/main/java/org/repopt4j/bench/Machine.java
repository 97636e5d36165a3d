package org.repopt4j.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.repopt4j.runtime.Natives;

/** Where a measurement was made: without it, milliseconds mean nothing. */
final class Machine {
  private static final List<String> SETTINGS =
      List.of(
          "GLIBC_TUNABLES", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "LD_PRELOAD", "REPOPT_JAVA_OPTS");

  private Machine() {}

  /** Names and values in the report's order. */
  static Map<String, Object> facts() throws IOException {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("cpu", processor());
    facts.put("processors", Runtime.getRuntime().availableProcessors());
    facts.put("vector_instructions", Natives.cpuCapability());
    facts.put("load_average", ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
    facts.put("memory_bytes", Pointer.totalPhysicalBytes());
    facts.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    facts.put("java", Runtime.version().toString());
    facts.put("java_vendor", System.getProperty("java.vendor"));
    facts.put("libtorch_presets", Loader.getVersion("org.bytedeco", "pytorch"));
    facts.put("libtorch_build", Natives.isCudaBuild() ? "cuda" : "cpu");
    facts.put("threads", Natives.threads());
    Map<String, String> environment = new LinkedHashMap<>();
    for (String name : SETTINGS) {
      environment.put(name, System.getenv().getOrDefault(name, ""));
    }
    facts.put("environment", environment);
    return facts;
  }

  private static String processor() throws IOException {
    Path info = Path.of("/proc/cpuinfo");
    if (Files.isReadable(info)) {
      for (String line : Files.readAllLines(info, StandardCharsets.UTF_8)) {
        if (line.startsWith("model name")) {
          return line.substring(line.indexOf(':') + 1).trim();
        }
      }
    }
    return System.getProperty("os.arch");
  }
}
