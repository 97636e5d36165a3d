package org.repopt4j.checkpoint;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import org.repopt4j.io.AtomicFile;

/**
 * A file's content, counted and hashed on its way to the disk. What a disk makes of it afterwards
 * does not count: bytes that were changed or lost on the way are seen when they are read.
 */
final class HashedBody implements AtomicFile.Body {
  private final AtomicFile.Body body;
  private Manifest.Entry entry;

  HashedBody(AtomicFile.Body body) {
    this.body = body;
  }

  @Override
  public void writeTo(SeekableByteChannel channel) throws IOException {
    Forward through = new Forward(channel);
    body.writeTo(through);
    entry = new Manifest.Entry(through.bytes, through.hasher.hash().toString());
  }

  /** What the file must be, once it was written. */
  Manifest.Entry entry() {
    return entry;
  }

  private static final class Forward extends ForwardChannel {
    private final SeekableByteChannel channel;
    private final Hasher hasher = Hashing.sha256().newHasher();
    private long bytes;

    Forward(SeekableByteChannel channel) {
      this.channel = channel;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
      ByteBuffer written = from.duplicate();
      int count = channel.write(from);
      hasher.putBytes(written.limit(from.position()));
      bytes += count;
      return count;
    }

    @Override
    public long position() {
      return bytes;
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
}
