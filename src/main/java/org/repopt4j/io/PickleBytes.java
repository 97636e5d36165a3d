package org.repopt4j.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The bytes of a pickle. A length is believed only after it was compared with what is left, so no
 * opcode can ask for more memory than the file has bytes.
 */
final class PickleBytes {
  private static final int LONGEST_LINE = 256;

  private final Path file;
  private final ByteBuffer bytes;

  PickleBytes(Path file, ByteBuffer bytes) {
    this.file = file;
    this.bytes = bytes.order(ByteOrder.LITTLE_ENDIAN);
  }

  int position() {
    return bytes.position();
  }

  boolean isAtEnd() {
    return !bytes.hasRemaining();
  }

  int u1() throws InvalidFileException {
    need(1);
    return bytes.get() & 0xFF;
  }

  int u2() throws InvalidFileException {
    need(2);
    return bytes.getShort() & 0xFFFF;
  }

  int i4() throws InvalidFileException {
    need(4);
    return bytes.getInt();
  }

  long u4() throws InvalidFileException {
    return i4() & 0xFFFFFFFFL;
  }

  long i8() throws InvalidFileException {
    need(8);
    return bytes.getLong();
  }

  double bigEndianDouble() throws InvalidFileException {
    need(8);
    return Double.longBitsToDouble(Long.reverseBytes(bytes.getLong()));
  }

  /** A two's complement number of up to 8 bytes, least significant first. */
  long number(int length) throws InvalidFileException {
    need(length);
    long value = 0;
    for (int i = 0; i < length; i++) {
      value |= (bytes.get() & 0xFFL) << (8 * i);
    }
    int unused = 64 - 8 * length;
    return length == 0 ? 0 : value << unused >> unused;
  }

  void skip(long length) throws InvalidFileException {
    need(length);
    bytes.position(bytes.position() + (int) length);
  }

  String text(long length) throws InvalidFileException {
    need(length);
    ByteBuffer slice = bytes.slice(bytes.position(), (int) length);
    skip(length);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(slice).toString();
    } catch (CharacterCodingException e) {
      throw refuse("it holds text that is not valid UTF-8");
    }
  }

  /** ASCII up to a line feed. */
  String line() throws InvalidFileException {
    StringBuilder line = new StringBuilder();
    for (int c = u1(); c != '\n'; c = u1()) {
      if (line.length() == LONGEST_LINE || c >= 0x80) {
        throw refuse("it holds a name that is too long or not ASCII");
      }
      line.append((char) c);
    }
    return line.toString();
  }

  void need(long length) throws InvalidFileException {
    if (length < 0 || length > bytes.remaining()) {
      throw refuse(
          "it asks for "
              + Long.toUnsignedString(length)
              + " bytes where "
              + bytes.remaining()
              + " are left");
    }
  }

  /** A fault at the current place. */
  InvalidFileException refuse(String problem) {
    return new InvalidFileException(
        file, "its data.pkl is refused at byte " + bytes.position() + ": " + problem);
  }
}
