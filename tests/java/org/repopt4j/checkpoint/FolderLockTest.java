package org.repopt4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.testkit.JavaProcess;

/** One run a folder, also among processes; a process that is killed leaves nothing behind. */
@Timeout(300)
class FolderLockTest {
  private static final int REFUSED = 7;

  @TempDir Path folder;

  /** {@code FOLDER HOLD}: takes the lock, makes {@code FOLDER/held} and sleeps if it should. */
  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    try (FolderLock lock = FolderLock.take(folder)) {
      if (Boolean.parseBoolean(args[1])) {
        Files.createFile(folder.resolve("held"));
        TimeUnit.SECONDS.sleep(280);
      }
      System.exit(lock == null ? 1 : 0);
    } catch (IllegalArgumentException e) {
      System.exit(REFUSED);
    }
  }

  private Process another(boolean hold) throws IOException {
    return JavaProcess.of(
            List.of("-Xmx64m", "-XX:TieredStopAtLevel=1"),
            FolderLockTest.class,
            folder.toString(),
            Boolean.toString(hold))
        .inheritIO()
        .start();
  }

  private void assertRefusedHere() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> FolderLock.take(folder)).getMessage();
    assertTrue(message.contains("another run is writing into " + folder), message);
  }

  @Test
  void anotherProcessIsRefusedUntilThisOneIsDone() throws Exception {
    try (FolderLock lock = FolderLock.take(folder)) {
      assertEquals(REFUSED, another(false).waitFor());
      // A second try of this process must not give away what the first one holds.
      assertRefusedHere();
      assertEquals(REFUSED, another(false).waitFor());
      assertTrue(lock != null);
    }
    assertEquals(0, another(false).waitFor());
    FolderLock.take(folder).close();
  }

  /** To open a pipe would wait for ever. */
  @Test
  void aPipeInItsPlaceIsRefused() throws Exception {
    Path pipe = folder.resolve(".lock");
    assumeTrue(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0);
    String message =
        assertTimeoutPreemptively(
                Duration.ofMinutes(1),
                () -> assertThrows(IllegalArgumentException.class, () -> FolderLock.take(folder)))
            .getMessage();
    assertTrue(message.contains(pipe + " is not a file"), message);
    Files.delete(pipe);
    FolderLock.take(folder).close();
  }

  @Test
  void aKilledProcessHoldsNothing() throws Exception {
    Process holder = another(true);
    try {
      while (holder.isAlive() && Files.notExists(folder.resolve("held"))) {
        TimeUnit.MILLISECONDS.sleep(5);
      }
      assertRefusedHere();
    } finally {
      holder.destroyForcibly().waitFor();
    }
    FolderLock.take(folder).close();
  }
}
