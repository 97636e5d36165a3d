package org.repopt4j.testkit;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.function.Executable;

/** What it means to refuse bad input well. */
public final class Refusals {
  private Refusals() {}

  /**
   * The code throws an IllegalArgumentException whose message is one line and holds each of these
   * parts, the bad value among them.
   */
  public static void assertRefused(Executable code, String... parts) {
    String message = assertThrows(IllegalArgumentException.class, code).getMessage();
    assertFalse(message.contains("\n"), message);
    for (String part : parts) {
      assertTrue(message.contains(part), () -> "no '" + part + "' in: " + message);
    }
  }
}
