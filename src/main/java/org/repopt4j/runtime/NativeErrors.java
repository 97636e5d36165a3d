package org.repopt4j.runtime;

import com.google.common.base.Splitter;
import com.google.common.collect.ImmutableList;
import java.util.regex.Pattern;

/**
 * Makes one readable sentence of an error that came from native code, whose message holds a C++
 * back-trace.
 */
public final class NativeErrors {
  // Messages quote names from files, which could rewrite the terminal that shows them.
  private static final Pattern INVISIBLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]");
  private static final int LONGEST = 100_000;

  /** What libtorch says; the last one because cuDNN has passed over each algorithm in turn. */
  private static final ImmutableList<String> USED_UP =
      ImmutableList.of(
          "out of memory",
          "DefaultCPUAllocator: can't allocate",
          "DefaultCPUAllocator: not enough memory",
          "CUBLAS_STATUS_ALLOC_FAILED",
          "CUDNN_STATUS_ALLOC_FAILED",
          "was unable to find an engine to execute this computation");

  private NativeErrors() {}

  /** The first sentence of the error: no back-trace, no address, one line of printable text. */
  public static String sentence(Throwable error) {
    String message = error.getMessage();
    if (message == null || message.isBlank()) {
      return error.getClass().getSimpleName();
    }
    int backtrace = message.indexOf("Exception raised from");
    String head = backtrace >= 0 ? message.substring(0, backtrace) : message;
    for (String line : Splitter.on('\n').trimResults().omitEmptyStrings().split(head)) {
      return INVISIBLE.matcher(cut(line)).replaceAll("?");
    }
    return error.getClass().getSimpleName();
  }

  private static String cut(String line) {
    return line.length() > LONGEST ? line.substring(0, LONGEST) + "..." : line;
  }

  /** Whether the error says that the memory of the machine or of the device is used up. */
  public static boolean isOutOfMemory(Throwable error) {
    if (error instanceof OutOfMemoryError) {
      return true;
    }
    String message = String.valueOf(error.getMessage());
    return USED_UP.stream().anyMatch(message::contains);
  }
}
