package org.repopt4j.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;

/**
 * A file that is written; an error says which one. Java's says no more than "No space left on
 * device", and the temporary file's name would mean nothing to people.
 *
 * @param target what is named
 */
record NamedChannel(Path target, FileChannel channel) implements SeekableByteChannel {
  @Override
  public int write(ByteBuffer bytes) throws IOException {
    try {
      return channel.write(bytes);
    } catch (IOException e) {
      throw named(e);
    }
  }

  /** Brings everything to the disk. */
  void force() throws IOException {
    try {
      channel.force(true);
    } catch (IOException e) {
      throw named(e);
    }
  }

  private IOException named(IOException error) {
    return new IOException("cannot write " + target + ": " + error.getMessage(), error);
  }

  @Override
  public int read(ByteBuffer bytes) throws IOException {
    return channel.read(bytes);
  }

  @Override
  public long position() throws IOException {
    return channel.position();
  }

  @Override
  public NamedChannel position(long position) throws IOException {
    channel.position(position);
    return this;
  }

  @Override
  public long size() throws IOException {
    return channel.size();
  }

  @Override
  public NamedChannel truncate(long size) throws IOException {
    channel.truncate(size);
    return this;
  }

  @Override
  public boolean isOpen() {
    return channel.isOpen();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
