package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.common.base.Splitter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code nvcc} makes of the CUDA kernels; it needs no GPU. */
class CudaSourcesTest {
  private static final Path SOURCE = Path.of("native-config", "kernels", "cuda_update.cu");
  private static final List<String> ARCHITECTURES = List.of("sm_80", "sm_90", "sm_100");
  private static final int KERNELS = 21; // three rules, seven combinations of types

  /** How many registers each kernel uses, for people. */
  private static final Path REPORT = Path.of("target", "cuda-registers.txt");

  private static final Pattern ENTRY =
      Pattern.compile("Compiling entry function '(\\w+)' for '(\\w+)'");
  private static final Pattern MEMORY =
      Pattern.compile(
          "(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");
  private static final Pattern REGISTERS = Pattern.compile("Used (\\d+) registers");

  @TempDir private Path folder;

  @Test
  @Tag("slow")
  void noKernelSpillsARegister() throws IOException, InterruptedException {
    Optional<String> nvcc = nvcc();
    assumeTrue(nvcc.isPresent(), "needs nvcc");
    Map<String, Integer> registers = new TreeMap<>();
    String kernel = "";
    for (String line : Splitter.on('\n').split(compiled(nvcc.get()))) {
      Matcher entry = ENTRY.matcher(line);
      Matcher memory = MEMORY.matcher(line);
      Matcher used = REGISTERS.matcher(line);
      if (entry.find()) {
        kernel = entry.group(2) + " " + entry.group(1);
      } else if (memory.find()) {
        assertEquals("0 0 0", memory.replaceAll("$1 $2 $3").trim(), kernel + ": " + line);
      } else if (used.find()) {
        registers.put(kernel, Integer.parseInt(used.group(1)));
      }
    }
    assertEquals(KERNELS * ARCHITECTURES.size(), registers.size(), registers::toString);
    Files.createDirectories(REPORT.getParent());
    Files.write(
        REPORT, registers.entrySet().stream().map(r -> r.getKey() + " " + r.getValue()).toList());
  }

  @Test
  void javaLaunchesAsManyThreadsAsTheKernelsAreCompiledFor() throws IOException {
    Matcher threads =
        Pattern.compile("constexpr int THREADS = (\\d+);").matcher(Files.readString(SOURCE));
    assertTrue(threads.find());
    assertEquals(CudaKernels.THREADS, Integer.parseInt(threads.group(1)));
  }

  private static Optional<String> nvcc() {
    List<String> folders = new ArrayList<>(Splitter.on(':').splitToList(System.getenv("PATH")));
    folders.add("/usr/local/cuda/bin"); // where the build looks, too
    return folders.stream()
        .map(place -> Path.of(place, "nvcc"))
        .filter(Files::isExecutable)
        .map(Path::toString)
        .findFirst();
  }

  private String compiled(String nvcc) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of(nvcc, "-std=c++17", "-O3", "-Xptxas", "-v", "--fatbin"));
    for (String architecture : ARCHITECTURES) {
      String virtual = architecture.replace("sm", "compute");
      command.addAll(List.of("-gencode", "arch=" + virtual + ",code=" + architecture));
    }
    command.addAll(List.of("-o", folder.resolve("kernels.fatbin").toString(), SOURCE.toString()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output;
  }
}
