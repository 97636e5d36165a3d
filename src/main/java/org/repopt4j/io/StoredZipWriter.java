package org.repopt4j.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/**
 * Writes a zip file as {@code torch.save} does: entries stored and not compressed, the data of each
 * at a multiple of 64 bytes (filled up by an extra field {@code FB}), zip64 where 4 GB are passed.
 * The same entries always give the same bytes.
 */
final class StoredZipWriter {
  private static final int ALIGNMENT = 64;
  private static final int LOCAL_LENGTH = 30;
  private static final long SEE_ZIP64 = 0xFFFFFFFFL;
  private static final short UTF8_NAMES = 0x0800;
  // The first of January 1980, the oldest day of a zip file.
  private static final short DAY = 0x21;

  private final SeekableByteChannel channel;
  private final List<Entry> entries = new ArrayList<>();

  StoredZipWriter(SeekableByteChannel channel) {
    this.channel = channel;
  }

  private record Entry(String name, long start, long length, int crc) {
    boolean isLarge() {
      return length >= SEE_ZIP64;
    }
  }

  /** Gives the entry's bytes, as many as were announced. */
  @FunctionalInterface
  interface Content {
    void writeTo(TensorMemory.Sink sink) throws IOException;
  }

  /** Adds an entry of bytes. */
  void add(String name, byte[] bytes) throws IOException {
    add(name, bytes.length, sink -> sink.accept(ByteBuffer.wrap(bytes)));
  }

  /** Adds an entry of {@code length} bytes, which are streamed. */
  void add(String name, long length, Content content) throws IOException {
    byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
    long start = channel.position();
    write(localHeader(nameBytes, start, length));
    long dataStart = channel.position();
    CRC32 crc = new CRC32();
    content.writeTo(
        slice -> {
          crc.update(slice.duplicate());
          TensorMemory.writeFully(channel, slice);
        });
    if (channel.position() - dataStart != length) {
      throw new IOException(
          "entry "
              + name
              + " got "
              + (channel.position() - dataStart)
              + " bytes, was announced with "
              + length);
    }
    long end = channel.position();
    channel.position(start + 14);
    write(little(4).putInt((int) crc.getValue()).flip());
    channel.position(end);
    entries.add(new Entry(name, start, length, (int) crc.getValue()));
  }

  private static ByteBuffer localHeader(byte[] name, long start, long length) {
    boolean large = length >= SEE_ZIP64;
    int zip64 = large ? 20 : 0;
    long unpadded = start + LOCAL_LENGTH + name.length + zip64 + 4;
    int padding = (int) Math.floorMod(-unpadded, (long) ALIGNMENT);
    ByteBuffer header = little(LOCAL_LENGTH + name.length + zip64 + 4 + padding);
    header.putInt(0x04034b50).putShort((short) (large ? 45 : 20)).putShort(UTF8_NAMES);
    header.putShort((short) 0).putShort((short) 0).putShort(DAY).putInt(0);
    int shortLength = (int) (large ? SEE_ZIP64 : length);
    header.putInt(shortLength).putInt(shortLength);
    header.putShort((short) name.length).putShort((short) (zip64 + 4 + padding)).put(name);
    if (large) {
      header.putShort((short) 1).putShort((short) 16).putLong(length).putLong(length);
    }
    header.put((byte) 'F').put((byte) 'B').putShort((short) padding);
    while (header.hasRemaining()) {
      header.put((byte) 'Z');
    }
    return header.flip();
  }

  /** Writes the directory; nothing may be added afterwards. */
  void finish() throws IOException {
    long start = channel.position();
    for (Entry entry : entries) {
      write(centralHeader(entry));
    }
    long length = channel.position() - start;
    boolean large = start >= SEE_ZIP64 || length >= SEE_ZIP64 || entries.size() >= 0xFFFF;
    if (large) {
      long end = channel.position();
      ByteBuffer end64 = little(56 + 20);
      end64.putInt(0x06064b50).putLong(44).putShort((short) 45).putShort((short) 45);
      end64.putInt(0).putInt(0).putLong(entries.size()).putLong(entries.size());
      end64.putLong(length).putLong(start);
      end64.putInt(0x07064b50).putInt(0).putLong(end).putInt(1);
      write(end64.flip());
    }
    short count = (short) Math.min(entries.size(), 0xFFFF);
    ByteBuffer end = little(22);
    end.putInt(0x06054b50).putShort((short) 0).putShort((short) 0).putShort(count).putShort(count);
    end.putInt((int) Math.min(length, SEE_ZIP64)).putInt((int) Math.min(start, SEE_ZIP64));
    write(end.putShort((short) 0).flip());
  }

  private static ByteBuffer centralHeader(Entry entry) {
    byte[] name = entry.name().getBytes(StandardCharsets.UTF_8);
    boolean far = entry.start() >= SEE_ZIP64;
    int zip64 = (entry.isLarge() ? 16 : 0) + (far ? 8 : 0);
    int extra = zip64 == 0 ? 0 : zip64 + 4;
    short version = (short) (extra == 0 ? 20 : 45);
    int shortLength = (int) Math.min(entry.length(), SEE_ZIP64);
    ByteBuffer header = little(46 + name.length + extra);
    header.putInt(0x02014b50).putShort(version).putShort(version).putShort(UTF8_NAMES);
    header.putShort((short) 0).putShort((short) 0).putShort(DAY).putInt(entry.crc());
    header.putInt(shortLength).putInt(shortLength);
    header.putShort((short) name.length).putShort((short) extra);
    header.putShort((short) 0).putShort((short) 0).putShort((short) 0).putInt(0);
    header.putInt((int) Math.min(entry.start(), SEE_ZIP64)).put(name);
    if (extra > 0) {
      header.putShort((short) 1).putShort((short) zip64);
      if (entry.isLarge()) {
        header.putLong(entry.length()).putLong(entry.length());
      }
      if (far) {
        header.putLong(entry.start());
      }
    }
    return header.flip();
  }

  private void write(ByteBuffer bytes) throws IOException {
    TensorMemory.writeFully(channel, bytes);
  }

  private static ByteBuffer little(int length) {
    return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
  }
}
