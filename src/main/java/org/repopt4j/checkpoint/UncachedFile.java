package org.repopt4j.checkpoint;

import com.sun.nio.file.ExtendedOpenOption;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A new file that is written from its begin to its end, past the system's page cache where the file
 * system lets it: a checkpoint is seldom read, and keeping its pages costs half of the processor's
 * time of writing it, which training beside it lacks. Elsewhere, and for what does not fill a block
 * at the end, it is written as files are.
 */
final class UncachedFile extends ForwardChannel {
  private static final int BUFFER = 4 << 20;

  private final FileChannel plain;
  private final ByteBuffer buffer;
  private FileChannel direct;
  private long written;

  /**
   * Writes through these.
   *
   * @param direct past the page cache; null if there is no such way
   * @param buffer as {@code direct} wants it
   */
  UncachedFile(FileChannel plain, FileChannel direct, ByteBuffer buffer) {
    this.plain = plain;
    this.direct = direct;
    this.buffer = buffer;
  }

  /** A buffer for {@link #create}, to be used again for the next file. */
  static ByteBuffer buffer() {
    return ByteBuffer.allocateDirect(BUFFER);
  }

  /**
   * Creates the file.
   *
   * @param memory of several MiB; belongs to the channel until it is closed
   * @throws IOException if it cannot be created or is there already
   */
  static UncachedFile create(Path file, ByteBuffer memory) throws IOException {
    FileChannel plain =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    ByteBuffer buffer = memory.clear();
    FileChannel direct = null;
    try {
      buffer = memory.alignedSlice(Math.toIntExact(Files.getFileStore(file).getBlockSize()));
      direct = FileChannel.open(file, StandardOpenOption.WRITE, ExtendedOpenOption.DIRECT);
    } catch (IOException | UnsupportedOperationException e) {
      // There is a way without.
    }
    return new UncachedFile(plain, direct, buffer);
  }

  @Override
  public int write(ByteBuffer bytes) throws IOException {
    int count = bytes.remaining();
    while (bytes.hasRemaining()) {
      int length = Math.min(bytes.remaining(), buffer.remaining());
      buffer.put(bytes.slice(bytes.position(), length));
      bytes.position(bytes.position() + length);
      if (!buffer.hasRemaining()) {
        flush();
      }
    }
    return count;
  }

  private void flush() throws IOException {
    buffer.flip();
    try {
      while (direct != null && buffer.hasRemaining()) {
        written += direct.write(buffer, written);
      }
    } catch (IOException e) {
      // If the disk is full, the other way says so, too.
      direct.close();
      direct = null;
    }
    writePlain();
    buffer.clear();
  }

  private void writePlain() throws IOException {
    while (buffer.hasRemaining()) {
      written += plain.write(buffer, written);
    }
  }

  /** Writes what is still in memory. Nothing may be written afterwards. */
  void finish() throws IOException {
    buffer.flip();
    writePlain();
  }

  @Override
  public long position() {
    return written + buffer.position();
  }

  @Override
  public boolean isOpen() {
    return plain.isOpen();
  }

  @Override
  public void close() throws IOException {
    try (plain) {
      if (direct != null) {
        direct.close();
      }
    }
  }
}
