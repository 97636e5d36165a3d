package org.repopt4j.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The folder of golden files and data beside the project ({@code REPOPT_SHARED}, or {@code
 * ../shared}); tests that need it are skipped where it is absent.
 */
public final class Shared {
  private Shared() {}

  /** The folder's file or subfolder of this name; skips the test if there is none. */
  public static Path path(String name) {
    String root = System.getenv().getOrDefault("REPOPT_SHARED", "../shared");
    Path path = Path.of(root).resolve(name).toAbsolutePath().normalize();
    assumeTrue(Files.exists(path), () -> "needs " + path + " (set REPOPT_SHARED)");
    return path;
  }
}
