package org.repopt4j.runtime;

import com.google.common.base.Splitter;

/**
 * Makes one readable sentence of an error that came from native code, whose message holds a C++
 * back-trace.
 */
public final class NativeErrors {
  private NativeErrors() {}

  /** The first sentence of the error: no back-trace, no address, one line. */
  public static String sentence(Throwable error) {
    String message = error.getMessage();
    if (message == null || message.isBlank()) {
      return error.getClass().getSimpleName();
    }
    int backtrace = message.indexOf("Exception raised from");
    String head = backtrace >= 0 ? message.substring(0, backtrace) : message;
    for (String line : Splitter.on('\n').trimResults().omitEmptyStrings().split(head)) {
      return line;
    }
    return error.getClass().getSimpleName();
  }

  /** Whether the error says that the memory of the machine or of the device is used up. */
  public static boolean isOutOfMemory(Throwable error) {
    if (error instanceof OutOfMemoryError) {
      return true;
    }
    String message = String.valueOf(error.getMessage());
    return message.contains("out of memory")
        || message.contains("DefaultCPUAllocator: can't allocate")
        || message.contains("DefaultCPUAllocator: not enough memory");
  }
}
