package org.repopt4j.runtime;

import com.google.common.base.Ascii;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.runtime.CudaLibrary.Need;

/**
 * Whether CUDA can be used by this process, and if not, the first reason that a person can act on.
 */
public final class CudaStatus {
  private static final int OLDEST_DRIVER = 580;
  private static final Path DRIVER_VERSION = Path.of("/proc/driver/nvidia/version");
  private static final Pattern RELEASE = Pattern.compile("\\b(\\d{3,4})\\.\\d+");

  private final boolean usable;
  private final String reason;

  private CudaStatus(boolean usable, String reason) {
    this.usable = usable;
    this.reason = reason;
  }

  /** Loads libtorch and asks it. */
  public static CudaStatus ofThisProcess() {
    if (Natives.cudaIsAvailable()) {
      int count = torch.cuda_device_count();
      return new CudaStatus(true, count == 1 ? "CUDA works" : "CUDA works, " + count + " devices");
    }
    return new CudaStatus(false, "no CUDA device can be used: " + cause());
  }

  private static String cause() {
    if (!Natives.isCudaBuild()) {
      return "this is the CPU build of libtorch (build with -Pcuda for the GPU build)";
    }
    List<CudaLibraries.Finding> findings = CudaLibraries.ofThisMachine().find();
    if (missing(findings, Need.DRIVER).isPresent()) {
      return "there is no NVIDIA driver (libcuda.so.1 is not found)";
    }
    Optional<Integer> driver = driverRelease(DRIVER_VERSION);
    if (driver.isPresent() && driver.get() < OLDEST_DRIVER) {
      return "the NVIDIA driver is release %s, and CUDA 13 needs %s or later"
          .formatted(driver.get(), OLDEST_DRIVER);
    }
    Optional<String> missing = missing(findings, Need.LOADING);
    if (missing.isPresent()) {
      return missing.get()
          + " not found ('repopt doctor --device cuda' says how to get what is missing)";
    }
    if (LoadedLibraries.now().find("libtorch_cuda.so").isEmpty()) {
      return "libtorch's CUDA half did not load although its libraries are there; start through bin/repopt, or put"
          + " their folders on LD_LIBRARY_PATH ('repopt doctor --device cuda' lists them)";
    }
    String visible = System.getenv("CUDA_VISIBLE_DEVICES");
    return "the driver shows none to this process"
        + (visible == null ? "" : " (CUDA_VISIBLE_DEVICES is '" + visible + "')");
  }

  private static Optional<String> missing(List<CudaLibraries.Finding> findings, Need need) {
    List<String> files =
        findings.stream()
            .filter(finding -> finding.library().need() == need && finding.path().isEmpty())
            .map(finding -> finding.library().file())
            .toList();
    return files.isEmpty()
        ? Optional.empty()
        : Optional.of(
            files.stream().collect(Collectors.joining(", "))
                + (files.size() == 1 ? " is" : " are"));
  }

  /** The release in the driver's own version file, for example 580 of {@code 580.95.05}. */
  static Optional<Integer> driverRelease(Path version) {
    if (!Files.isReadable(version)) {
      return Optional.empty(); // Containers may hide it; the driver can be there all the same.
    }
    try {
      for (String line : Files.readAllLines(version)) {
        Matcher release = RELEASE.matcher(line);
        if (Ascii.toUpperCase(line).startsWith("NVRM") && release.find()) {
          return Optional.of(Integer.parseInt(release.group(1)));
        }
      }
    } catch (IOException e) {
      return Optional.empty();
    }
    return Optional.empty();
  }

  /** Whether a CUDA device can be used. */
  public boolean usable() {
    return usable;
  }

  /** One sentence for people, without a full stop. */
  public String reason() {
    return reason;
  }
}
