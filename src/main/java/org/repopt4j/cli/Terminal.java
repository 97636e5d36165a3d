package org.repopt4j.cli;

import java.io.Console;

/** Whether somebody is looking. */
final class Terminal {
  private Terminal() {}

  /** Whether standard output and input are a terminal that understands a carriage return. */
  @SuppressWarnings("SystemConsoleNull") // What newer releases return instead is asked for below.
  static boolean isInteractive() {
    Console console = System.console();
    if (console == null || "dumb".equals(System.getenv("TERM"))) {
      return false;
    }
    try {
      // Since Java 22 there is a console without a terminal; only the new method tells.
      return (Boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (ReflectiveOperationException e) {
      return true;
    }
  }
}
