package org.repopt4j.io;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Writes a file as a whole or not at all: into a temporary file of the same folder, forced to the
 * disk, then renamed over what was there. A crash, a full disk or an error leaves the old file;
 * only what cannot be caught, such as SIGKILL, leaves the temporary one, too.
 */
public final class AtomicFile {
  private static final Pattern TEMPORARY =
      Pattern.compile("\\..+\\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.tmp");

  private static final Set<Path> UNFINISHED = ConcurrentHashMap.newKeySet();

  static {
    // A signal that ends the process ends no write in order.
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> UNFINISHED.forEach(file -> file.toFile().delete()), "delete-unfinished"));
  }

  private AtomicFile() {}

  /** What goes into the file. */
  @FunctionalInterface
  public interface Body {
    /** Writes everything; the channel may be positioned freely. */
    void writeTo(SeekableByteChannel channel) throws IOException;
  }

  /** These bytes and nothing else. */
  public static Body bytes(byte[] content) {
    return channel -> TensorMemory.writeFully(channel, ByteBuffer.wrap(content));
  }

  /**
   * Removes what processes that were killed left half written in a folder.
   *
   * @param folder one that nobody writes into at this time; it need not exist
   */
  public static void clean(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    List<Path> left;
    try (Stream<Path> entries = Files.list(folder)) {
      left =
          entries
              .filter(entry -> TEMPORARY.matcher(entry.getFileName().toString()).matches())
              .filter(entry -> Files.isRegularFile(entry))
              .toList();
    }
    for (Path file : left) {
      Files.deleteIfExists(file);
    }
  }

  /**
   * Puts a new file at {@code target}, which may exist.
   *
   * @throws IOException if it cannot be written; what was at {@code target} is unharmed
   */
  public static void write(Path target, Body body) throws IOException {
    Path folder = target.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new IOException(target + ": cannot be written, because its folder does not exist");
    }
    // A rename would put a file in place of a pipe or a device, /dev/null included.
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      throw new IOException(
          target
              + ": cannot be written, because it is "
              + (Files.isDirectory(target) ? "a folder" : "not a regular file"));
    }
    Path temporary = folder.resolve("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
    UNFINISHED.add(temporary);
    try {
      try (FileChannel channel =
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE)) {
        NamedChannel named = new NamedChannel(target, channel);
        body.writeTo(named);
        named.force();
      }
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (FileSystemException e) {
      if (!temporary.toString().equals(e.getFile())) {
        throw e;
      }
      // The temporary file's name would mean nothing to people.
      throw new IOException(target + ": cannot be written: " + FileErrors.reason(e), e);
    } finally {
      // This has no error of its own, which would take the place of the one that led here.
      temporary.toFile().delete();
      UNFINISHED.remove(temporary);
    }
    // The rename itself rests in the folder; Windows has no way to force a folder.
    if (File.separatorChar == '/') {
      try (FileChannel entry = FileChannel.open(folder, StandardOpenOption.READ)) {
        entry.force(true);
      }
    }
  }
}
