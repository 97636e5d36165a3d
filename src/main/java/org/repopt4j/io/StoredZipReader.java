package org.repopt4j.io;

import static org.repopt4j.io.InvalidFileException.quote;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The directory of a zip file as {@code torch.save} writes it, read strictly: entries are plainly
 * named, named once, inside of the file, and do not overlap. Nothing is ever unpacked, so nothing
 * can be larger than the file. Files and entries of 4 GB and more (zip64) are read as well.
 *
 * <p>Checksums are not compared, because PyTorch may be told not to compute them ({@code
 * torch.serialization.set_crc32_options}) and does not compare them either.
 */
final class StoredZipReader {
  private static final int LONGEST_DIRECTORY = 64 << 20;
  private static final int MOST_ENTRIES = 200_000;
  private static final int END_LENGTH = 22;
  private static final int END64_LENGTH = 56;
  private static final int LOCATOR64_LENGTH = 20;
  private static final int CENTRAL_LENGTH = 46;
  private static final int LOCAL_LENGTH = 30;
  private static final long SEE_ZIP64 = 0xFFFFFFFFL;

  private final Path file;
  private final FileChannel channel;
  private final long size;

  private StoredZipReader(Path file, FileChannel channel) throws IOException {
    this.file = file;
    this.channel = channel;
    this.size = channel.size();
  }

  /**
   * An entry's bytes.
   *
   * @param compressed whether they are packed; there is no way here to unpack them
   * @param header where the entry's own header begins
   * @param start where the data begin
   * @param length how many there are in the file
   */
  record Entry(String name, boolean compressed, long header, long start, long length) {
    long end() {
      return start + length;
    }
  }

  /** Reads and checks the directory: the entries by name, in the directory's order. */
  static Map<String, Entry> entries(Path file, FileChannel channel) throws IOException {
    return new StoredZipReader(file, channel).entries();
  }

  private Map<String, Entry> entries() throws IOException {
    if (size < END_LENGTH) {
      throw refuse("it is cut short: " + size + " bytes are too few for a zip file");
    }
    ByteBuffer end = read(size - END_LENGTH, END_LENGTH);
    if (end.getInt(0) != 0x06054b50 || end.getShort(20) != 0) {
      throw refuse("it is cut short or not a zip file: there is no zip directory at its end");
    }
    long count = end.getShort(10) & 0xFFFF;
    long length = end.getInt(12) & 0xFFFFFFFFL;
    long start = end.getInt(16) & 0xFFFFFFFFL;
    long limit = size - END_LENGTH;
    // PyTorch writes the large end record always, other programs where the small one overflows.
    long end64At = end64();
    if (end64At < 0 && (count == 0xFFFF || length == SEE_ZIP64 || start == SEE_ZIP64)) {
      throw refuse("its zip64 end record is missing");
    }
    if (end64At >= 0) {
      limit = end64At;
      ByteBuffer end64 = read(limit, END64_LENGTH);
      count = end64.getLong(32);
      length = end64.getLong(40);
      start = end64.getLong(48);
    }
    if (start < 0 || length < 0 || start > limit || start + length != limit) {
      throw refuse("its zip directory does not end where the end record begins");
    }
    if (length > LONGEST_DIRECTORY || count < 0 || count > MOST_ENTRIES) {
      throw refuse(
          "its zip directory claims "
              + Long.toUnsignedString(count)
              + " entries in "
              + length
              + " bytes, more than allowed");
    }
    return directory(read(start, (int) length), count, start);
  }

  /** Where the zip64 end record begins; -1 if there is none. */
  private long end64() throws IOException {
    long locatorAt = size - END_LENGTH - LOCATOR64_LENGTH;
    if (locatorAt < END64_LENGTH) {
      return -1;
    }
    ByteBuffer locator = read(locatorAt, LOCATOR64_LENGTH);
    if (locator.getInt(0) != 0x07064b50) {
      return -1;
    }
    long at = locatorAt - END64_LENGTH;
    if (locator.getLong(8) != at || read(at, END64_LENGTH).getInt(0) != 0x06064b50) {
      throw refuse("its zip64 end record is missing or broken");
    }
    return at;
  }

  private Map<String, Entry> directory(ByteBuffer directory, long count, long dataEnd)
      throws IOException {
    Map<String, Entry> entries = new LinkedHashMap<>();
    for (long i = 0; i < count; i++) {
      Entry entry = central(directory, dataEnd);
      if (entries.putIfAbsent(entry.name(), entry) != null) {
        throw refuse("its entry " + quote(entry.name()) + " is there twice");
      }
    }
    if (directory.hasRemaining()) {
      throw refuse("its zip directory is longer than its " + count + " entries");
    }
    List<Entry> sorted = new ArrayList<>(entries.values());
    sorted.sort(Comparator.comparingLong(Entry::header));
    long at = 0;
    for (Entry entry : sorted) {
      if (entry.header() < at) {
        throw refuse("its entry " + quote(entry.name()) + " overlaps another one");
      }
      at = entry.end();
    }
    return entries;
  }

  private Entry central(ByteBuffer directory, long dataEnd) throws IOException {
    if (directory.remaining() < CENTRAL_LENGTH
        || directory.getInt(directory.position()) != 0x02014b50) {
      throw refuse("its zip directory is broken at byte " + directory.position());
    }
    int base = directory.position();
    int nameLength = directory.getShort(base + 28) & 0xFFFF;
    int extraLength = directory.getShort(base + 30) & 0xFFFF;
    int commentLength = directory.getShort(base + 32) & 0xFFFF;
    if (directory.remaining() < CENTRAL_LENGTH + nameLength + extraLength + commentLength) {
      throw refuse("its zip directory is broken at byte " + base);
    }
    ByteBuffer nameBytes = directory.slice(base + CENTRAL_LENGTH, nameLength);
    String name = name(nameBytes);
    if ((directory.getShort(base + 8) & 1) != 0) {
      throw refuse("its entry " + quote(name) + " is encrypted");
    }
    boolean compressed = directory.getShort(base + 10) != 0;
    long[] fields = {
      directory.getInt(base + 24) & 0xFFFFFFFFL, // length
      directory.getInt(base + 20) & 0xFFFFFFFFL, // length as stored
      directory.getInt(base + 42) & 0xFFFFFFFFL // where its own header begins
    };
    zip64(
        name,
        directory
            .slice(base + CENTRAL_LENGTH + nameLength, extraLength)
            .order(ByteOrder.LITTLE_ENDIAN),
        fields);
    if (!compressed && fields[0] != fields[1]) {
      throw refuse("its entry " + quote(name) + " has two lengths");
    }
    directory.position(base + CENTRAL_LENGTH + nameLength + extraLength + commentLength);
    return local(name, nameBytes.rewind(), compressed, fields[2], fields[1], dataEnd);
  }

  private void zip64(String name, ByteBuffer extra, long[] fields) throws InvalidFileException {
    boolean[] elsewhere = new boolean[fields.length];
    for (int i = 0; i < fields.length; i++) {
      elsewhere[i] = fields[i] == SEE_ZIP64;
    }
    while (extra.remaining() >= 4) {
      int id = extra.getShort() & 0xFFFF;
      int length = extra.getShort() & 0xFFFF;
      if (length > extra.remaining()) {
        throw refuse("its entry " + quote(name) + " has an extra field that is cut short");
      }
      int next = extra.position() + length;
      for (int i = 0; id == 1 && i < fields.length; i++) {
        if (elsewhere[i] && next - extra.position() >= 8) {
          fields[i] = extra.getLong();
          elsewhere[i] = false;
        }
      }
      extra.position(next);
    }
    // A mark that leads nowhere would mean other bytes to other programs.
    for (int i = 1; i < fields.length; i++) {
      if (fields[i] < 0 || fields[i] > size || elsewhere[i]) {
        throw refuse("its entry " + quote(name) + " reaches beyond the end of the file");
      }
    }
  }

  private Entry local(
      String name, ByteBuffer nameBytes, boolean compressed, long header, long length, long dataEnd)
      throws IOException {
    if (header + LOCAL_LENGTH + nameBytes.remaining() > dataEnd) {
      throw refuse("its entry " + quote(name) + " reaches into the zip directory");
    }
    ByteBuffer local = read(header, LOCAL_LENGTH + nameBytes.remaining());
    int nameLength = local.getShort(26) & 0xFFFF;
    int extraLength = local.getShort(28) & 0xFFFF;
    if (local.getInt(0) != 0x04034b50
        || (local.getShort(8) != 0) != compressed
        || nameLength != nameBytes.remaining()
        || !local.slice(LOCAL_LENGTH, nameLength).equals(nameBytes)) {
      throw refuse("its entry " + quote(name) + " differs from the zip directory");
    }
    long start = header + LOCAL_LENGTH + nameLength + extraLength;
    if (start > dataEnd || length > dataEnd - start) {
      throw refuse("its entry " + quote(name) + " reaches into the zip directory");
    }
    return new Entry(name, compressed, header, start, length);
  }

  private String name(ByteBuffer bytes) throws InvalidFileException {
    String name;
    try {
      name = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw refuse("the name of one of its entries is not valid UTF-8");
    }
    if (name.isEmpty()
        || name.startsWith("/")
        || name.indexOf('\\') >= 0
        || name.indexOf(':') >= 0
        || ("/" + name + "/").contains("/../")
        || name.chars().anyMatch(c -> c < ' ')) {
      throw refuse("its entry " + quote(name) + " is not plainly named");
    }
    return name;
  }

  private ByteBuffer read(long position, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    TensorMemory.readFully(file, channel, bytes, position);
    return bytes.flip();
  }

  private InvalidFileException refuse(String problem) {
    return new InvalidFileException(file, problem);
  }
}
