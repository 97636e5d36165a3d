package org.repopt4j.checkpoint;

import static com.google.common.base.Preconditions.checkArgument;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The right to write into a folder. The operating system takes it back when the process ends in
 * whatever way, so that a crash leaves no lock behind; the empty file {@value #FILE} stays.
 */
public final class FolderLock implements Closeable {
  private static final String FILE = ".lock";

  // To open the file once more in this process, and close it, would give the system's lock away.
  private static final Set<Path> HELD_HERE = ConcurrentHashMap.newKeySet();

  private final Path folder;
  private final FileChannel channel;

  private FolderLock(Path folder, FileChannel channel) {
    this.folder = folder;
    this.channel = channel;
  }

  /**
   * Takes the right.
   *
   * @param folder an existing one
   * @throws IllegalArgumentException if another run has it
   */
  public static FolderLock take(Path folder) throws IOException {
    Path real = folder.toRealPath();
    Path file = real.resolve(FILE);
    // To open a pipe would wait for whoever reads from it.
    checkArgument(
        Files.notExists(file) || Files.isRegularFile(file),
        "%s is not a file, and so no lock; delete it, or name another --output",
        file);
    checkFree(HELD_HERE.add(real), folder);
    FileChannel channel = null;
    FileLock lock = null;
    try {
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      lock = channel.tryLock();
    } finally {
      if (lock == null) {
        release(real, channel);
      }
    }
    checkFree(lock != null, folder);
    return new FolderLock(real, channel);
  }

  private static void checkFree(boolean free, Path folder) {
    checkArgument(
        free,
        "another run is writing into %s; wait for it to end, or name another --output",
        folder);
  }

  private static void release(Path real, FileChannel channel) throws IOException {
    try {
      if (channel != null) {
        channel.close();
      }
    } finally {
      HELD_HERE.remove(real);
    }
  }

  @Override
  public void close() throws IOException {
    if (channel.isOpen()) {
      release(folder, channel);
    }
  }
}
