package org.repopt4j.checkpoint;

import static com.google.common.base.Preconditions.checkArgument;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The right to write into a folder. The operating system takes it back when the process ends in
 * whatever way, so that a crash leaves no lock behind; the empty file {@value #FILE} stays.
 */
public final class FolderLock implements Closeable {
  private static final String FILE = ".lock";

  private final FileChannel channel;

  private FolderLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Takes the right.
   *
   * @param folder an existing one
   * @throws IllegalArgumentException if another run has it
   */
  public static FolderLock take(Path folder) throws IOException {
    FileChannel channel =
        FileChannel.open(folder.resolve(FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock lock = null;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null; // by this very process
    } finally {
      if (lock == null) {
        channel.close();
      }
    }
    checkArgument(
        lock != null,
        "another run is writing into %s; wait for it to end, or name another --output",
        folder);
    return new FolderLock(channel);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
