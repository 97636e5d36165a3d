package org.repopt4j.checkpoint;

import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;

/** A channel that is written from its begin to its end; nobody goes back in it or reads from it. */
abstract class ForwardChannel implements SeekableByteChannel {
  /** How much was written. */
  @Override
  public abstract long position();

  @Override
  public final long size() {
    return position();
  }

  @Override
  public final int read(ByteBuffer into) {
    throw new UnsupportedOperationException("goes forward only");
  }

  @Override
  public final SeekableByteChannel position(long position) {
    throw new UnsupportedOperationException("goes forward only");
  }

  @Override
  public final SeekableByteChannel truncate(long size) {
    throw new UnsupportedOperationException("goes forward only");
  }
}
