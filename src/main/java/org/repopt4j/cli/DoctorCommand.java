package org.repopt4j.cli;

import com.google.common.base.Ascii;
import java.io.File;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.bytedeco.javacpp.Loader;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.NativeErrors;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.ProcessMemory;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.runtime.UpdateKernels;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code repopt doctor}: what there is to work with, and what is missing. */
@Command(
    name = "doctor",
    description =
        "Shows Java, libtorch, memory, the device that jobs take, and the CUDA libraries.",
    mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description =
          "auto: say which device jobs will take; cpu: leave CUDA out; cuda or cuda:N: end with 1 where it cannot be used"
              + " (default: ${DEFAULT-VALUE}).")
  private String device = "auto";

  @Option(names = "--json", description = "Print JSON instead of text.")
  private boolean json;

  @Override
  public Integer call() {
    ComputeOptions.checkDevice(device);
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("java", javaFacts());
    facts.put("machine", machineFacts());
    Map<String, Object> libtorch = libtorchFacts();
    facts.put("libtorch", libtorch);
    boolean loaded = libtorch.get("loaded").equals(true);
    boolean healthy = loaded;
    if (loaded) {
      DeviceFacts devices = DeviceFacts.of(device);
      facts.put("device", devices.map());
      healthy = devices.healthy();
    }
    boolean wantsCuda = Ascii.toLowerCase(device.trim()).startsWith("cuda");
    if (wantsCuda || (Natives.isCudaBuild() && !device.trim().equalsIgnoreCase("cpu"))) {
      facts.put("cuda", CudaFacts.now());
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.of(facts));
    } else {
      print(out, facts);
    }
    out.flush();
    return healthy ? Failures.OK : Failures.CHECK_FAILED;
  }

  private static Map<String, Object> javaFacts() {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("version", Runtime.version().toString());
    facts.put("vendor", System.getProperty("java.vendor"));
    facts.put("home", System.getProperty("java.home"));
    facts.put("heap limit", mebibytes(Runtime.getRuntime().maxMemory()));
    facts.put("options", System.getenv().getOrDefault("REPOPT_JAVA_OPTS", ""));
    return facts;
  }

  private static Map<String, Object> machineFacts() {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    facts.put("processors", Runtime.getRuntime().availableProcessors());
    facts.put("malloc tunables", System.getenv().getOrDefault("GLIBC_TUNABLES", "(not set)"));
    ProcessMemory.resident().ifPresent(bytes -> facts.put("resident now", mebibytes(bytes)));
    return facts;
  }

  private static Map<String, Object> libtorchFacts() {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("platform", Natives.platform());
    facts.put("build", Natives.isCudaBuild() ? "cuda" : "cpu");
    try {
      facts.put("presets", Loader.getVersion("org.bytedeco", "pytorch"));
      File cache = Natives.cacheFolder();
      facts.put("unpacked into", cache.getPath());
      long before = System.nanoTime();
      Natives.load();
      facts.put("load time", String.format("%.1f s", (System.nanoTime() - before) / 1e9));
      facts.put("threads", Natives.threads());
      facts.put("vector instructions", Natives.cpuCapability());
      try (StepScope scope = StepScope.open()) {
        double sum = Tensors.of(new double[] {1, 2, 3}, 3).sum().item_double();
        facts.put("loaded", sum == 6.0);
      }
      facts.put("update on the CPU", UpdateKernels.inUse(ComputeDevice.cpu()));
    } catch (Exception | LinkageError e) {
      facts.put("loaded", false);
      facts.put("error", NativeErrors.sentence(e));
    }
    return facts;
  }

  private static void print(PrintWriter out, Map<String, Object> facts) {
    facts.forEach(
        (section, values) -> {
          out.println(section);
          ((Map<?, ?>) values).forEach((name, value) -> printFact(out, name, value));
          out.println();
        });
  }

  private static void printFact(PrintWriter out, Object name, Object value) {
    if (name.equals("libraries")) {
      for (Object row : (List<?>) value) {
        Map<?, ?> library = (Map<?, ?>) row;
        out.printf(
            "  %-19s %s (for %s)%n",
            library.get("library"), library.get("found"), library.get("needed for"));
      }
    } else if (value instanceof List<?> list) {
      list.forEach(item -> out.printf("  %-19s %s%n", name, item));
    } else {
      out.printf("  %-19s %s%n", name, value);
    }
  }

  private static String mebibytes(long bytes) {
    return String.format("%,d MiB", bytes >> 20);
  }
}
