package org.repopt4j.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the operating system says of this process's memory, Java heap and native memory together.
 * Linux only; absent elsewhere.
 */
public final class ProcessMemory {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path CLEAR = Path.of("/proc/self/clear_refs");

  private ProcessMemory() {}

  /** Bytes that are resident now. */
  public static OptionalLong resident() {
    return field("VmRSS");
  }

  /**
   * The most bytes that were resident at once since the process began or since {@link #resetPeak}.
   */
  public static OptionalLong peakResident() {
    return field("VmHWM");
  }

  /**
   * Begins the measurement of the peak anew.
   *
   * @return whether the system allows it; if not, the peak is that of the whole process
   */
  public static boolean resetPeak() {
    try {
      Files.writeString(CLEAR, "5");
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static OptionalLong field(String name) {
    try {
      Matcher matcher =
          Pattern.compile("^" + name + ":\\s+(\\d+) kB", Pattern.MULTILINE)
              .matcher(Files.readString(STATUS));
      return matcher.find()
          ? OptionalLong.of(Long.parseLong(matcher.group(1)) * 1024)
          : OptionalLong.empty();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
