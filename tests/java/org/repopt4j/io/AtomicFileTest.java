package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.testkit.JavaProcess;

class AtomicFileTest {
  @TempDir Path folder;

  private static ByteBuffer text(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void aFileIsReplacedAsAWhole() throws Exception {
    Path file = folder.resolve("a");
    AtomicFile.write(file, channel -> channel.write(text("long first text")));
    AtomicFile.write(
        file,
        channel -> {
          channel.write(text("second"));
          assertEquals("long first text", Files.readString(file));
        });
    assertEquals("second", Files.readString(file));
    assertEquals(List.of("a"), names());
  }

  @Test
  void aFailedWriteLeavesTheOldFileAndNothingElse() throws Exception {
    Path file = Files.writeString(folder.resolve("a"), "old");
    IOException full = new IOException("No space left on device");
    IOException thrown =
        assertThrows(
            IOException.class,
            () ->
                AtomicFile.write(
                    file,
                    channel -> {
                      channel.write(text("half of the new"));
                      throw full;
                    }));
    assertEquals(full, thrown);
    assertEquals("old", Files.readString(file));
    assertEquals(List.of("a"), names());
  }

  @Test
  void aFullDiskIsSaidWithTheNameOfTheFile() throws Exception {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "needs Linux's /dev/full");
    Path file = folder.resolve("weights.pth");
    try (NamedChannel channel =
        new NamedChannel(file, FileChannel.open(full, StandardOpenOption.WRITE))) {
      IOException thrown = assertThrows(IOException.class, () -> channel.write(text("a")));
      assertEquals("cannot write " + file + ": No space left on device", thrown.getMessage());
    }
  }

  @Test
  void whatAKilledProcessLeftIsRemovedAndNothingElse() throws Exception {
    Path file = folder.resolve("a.b");
    AtomicFile.write(
        file,
        channel -> {
          channel.write(text("half"));
          // A copy of what is there while it is written is what a kill would leave.
          String temporary =
              names().stream().filter(name -> name.endsWith(".tmp")).findFirst().orElseThrow();
          Files.copy(folder.resolve(temporary), folder.resolve(temporary.replaceFirst("\\d", "a")));
        });
    List<String> kept = List.of(".a.tmp", ".lock", "a.tmp");
    for (String name : kept) {
      Files.createFile(folder.resolve(name));
    }
    assertEquals(5, names().size(), names()::toString);
    AtomicFile.clean(folder);
    AtomicFile.clean(folder.resolve("none"));
    assertEquals(List.of(".a.tmp", ".lock", "a.b", "a.tmp"), names());
  }

  @Test
  void aTargetThatCannotBeIsNamed() {
    IOException noFolder =
        assertThrows(
            IOException.class, () -> AtomicFile.write(folder.resolve("no/a"), channel -> {}));
    assertTrue(noFolder.getMessage().contains("its folder does not exist"), noFolder.getMessage());
    IOException isFolder =
        assertThrows(IOException.class, () -> AtomicFile.write(folder, channel -> {}));
    assertTrue(isFolder.getMessage().contains("it is a folder"), isFolder.getMessage());
  }

  @Test
  void aPipeOrDeviceIsNotReplaced() throws Exception {
    Path device = Path.of("/dev/null");
    assumeTrue(Files.exists(device), "needs a device");
    Path link = Files.createSymbolicLink(folder.resolve("a"), device);
    IOException thrown =
        assertThrows(IOException.class, () -> AtomicFile.write(link, channel -> {}));
    assertEquals(
        link + ": cannot be written, because it is not a regular file", thrown.getMessage());
    assertTrue(Files.isSymbolicLink(link));
    assertEquals(List.of("a"), names());
  }

  @Test
  void anErrorNamesTheTargetAndNotTheTemporaryFile() throws Exception {
    Path file = folder.resolve("a".repeat(230) + ".pth");
    IOException thrown =
        assertThrows(IOException.class, () -> AtomicFile.write(file, channel -> {}));
    assertTrue(thrown.getMessage().startsWith(file + ": cannot be written: "), thrown.getMessage());
    assertEquals(List.of(), names());
  }

  /** Writes a file for ever; says when it has begun. */
  static final class Endless {
    private Endless() {}

    public static void main(String[] args) throws IOException {
      AtomicFile.write(
          Path.of(args[0]),
          channel -> {
            channel.write(text("half of the new"));
            System.out.println("begun");
            Uninterruptibles.sleepUninterruptibly(1, TimeUnit.MINUTES);
          });
    }
  }

  @Test
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "there, an end from outside cannot be caught")
  void aSignalLeavesTheOldFileAndNothingElse() throws Exception {
    Path file = Files.writeString(folder.resolve("a"), "old");
    Process process = JavaProcess.of(List.of(), Endless.class, file.toString()).start();
    try {
      assertEquals("begun", process.inputReader().readLine());
      assertEquals(2, names().size(), names()::toString);
      process.destroy();
      assertEquals(143, process.waitFor());
    } finally {
      process.destroyForcibly();
    }
    assertEquals("old", Files.readString(file));
    assertEquals(List.of("a"), names());
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }
}
