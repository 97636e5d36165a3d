package org.repopt4j.io;

import static org.repopt4j.io.InvalidFileException.quote;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of a safetensors file, checked.
 *
 * <p>A file is: the header's length N as an unsigned 64-bit little-endian number, at most
 * 100,000,000; N bytes of UTF-8 JSON, an object that begins with <code>{</code> and may be padded
 * with spaces; then the data. Each entry of the object is a tensor's name with {@code dtype},
 * {@code shape} and {@code data_offsets} (begin and end, counted from the start of the data);
 * {@code __metadata__} maps text to text. No key comes twice. The tensors tile the data: no hole,
 * no overlap, and the last one ends where the file ends. Values are little-endian and row-major.
 *
 * @param entries by name, in the header's order
 * @param metadata in the header's order
 * @param dataStart where the data begins, in bytes from the start of the file
 * @param size of the file, in bytes
 */
record SafetensorsHeader(
    Map<String, Entry> entries, Map<String, String> metadata, long dataStart, long size) {
  /** The longest header, in bytes, that the format allows. */
  static final int LONGEST = 100_000_000;

  static final String METADATA = "__metadata__";

  /** Where a tensor's bytes are, counted from the start of the data, and what they mean. */
  static final class Entry {
    final Dtype dtype;
    final long[] shape;
    final long begin;
    final long end;

    Entry(Dtype dtype, long[] shape, long begin, long end) {
      this.dtype = dtype;
      this.shape = shape;
      this.begin = begin;
      this.end = end;
    }
  }

  /** Reads and checks the header of an open file. */
  static SafetensorsHeader read(Path file, FileChannel channel) throws IOException {
    long size = channel.size();
    if (size < 10) {
      throw new InvalidFileException(
          file, "it has " + size + " bytes, too few for a safetensors file");
    }
    ByteBuffer start = ByteBuffer.allocate(9).order(ByteOrder.LITTLE_ENDIAN);
    TensorMemory.readFully(file, channel, start, 0);
    long length = start.getLong(0);
    if (length < 2 || length > Math.min(size - 8, LONGEST)) {
      throw new InvalidFileException(
          file,
          "its header claims "
              + Long.toUnsignedString(length)
              + " bytes, must be between 2 and "
              + Math.min(size - 8, LONGEST));
    }
    if (start.get(8) != '{') {
      throw new InvalidFileException(file, "its header does not begin with '{'");
    }
    Map<String, Entry> entries = new LinkedHashMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    try (StrictJson json = StrictJson.open(file, channel, 8, length)) {
      json.object(
          (name, token) -> {
            if (name.equals(METADATA)) {
              json.nested(token, (key, value) -> metadata.put(key, json.text(key, value)));
            } else {
              entries.put(name, entry(file, json, name, token));
            }
          });
    }
    checkTiling(file, entries, size - 8 - length);
    return new SafetensorsHeader(entries, metadata, 8 + length, size);
  }

  private static Entry entry(Path file, StrictJson json, String name, JsonToken token)
      throws IOException {
    String[] dtype = new String[1];
    long[][] numbers = new long[2][];
    json.nested(
        token,
        (key, value) -> {
          switch (key) {
            case "dtype" -> dtype[0] = json.text(key, value);
            case "shape" -> numbers[0] = sizes(file, json.parser(), name, key, value);
            case "data_offsets" -> numbers[1] = sizes(file, json.parser(), name, key, value);
            default -> throw refuse(file, name, "has the unknown field " + quote(key));
          }
        });
    if (dtype[0] == null || numbers[0] == null || numbers[1] == null) {
      throw refuse(file, name, "lacks one of dtype, shape and data_offsets");
    }
    if (numbers[1].length != 2) {
      throw refuse(file, name, "must have two data_offsets, has " + numbers[1].length);
    }
    Dtype type =
        Dtype.named(dtype[0])
            .orElseThrow(
                () ->
                    refuse(
                        file,
                        name,
                        "is of type "
                            + quote(dtype[0])
                            + ", must be one of "
                            + Arrays.toString(Dtype.values())));
    long bytes;
    try {
      bytes = type.count(numbers[0]) * type.bytes();
    } catch (ArithmeticException e) {
      throw refuse(file, name, "cannot be: " + e.getMessage());
    }
    long begin = numbers[1][0];
    long end = numbers[1][1];
    if (end < begin || end - begin != bytes) {
      throw refuse(
          file,
          name,
          "needs " + bytes + " bytes, but its data_offsets are " + begin + " and " + end);
    }
    return new Entry(type, numbers[0], begin, end);
  }

  private static long[] sizes(
      Path file, JsonParser parser, String name, String key, JsonToken value) throws IOException {
    if (value != JsonToken.START_ARRAY) {
      throw refuse(file, name, "must have an array as " + key);
    }
    List<Long> sizes = new ArrayList<>();
    for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
      // A minus sign before 0 is no whole number to other readers of the format.
      if (t != JsonToken.VALUE_NUMBER_INT || parser.getText().startsWith("-")) {
        throw refuse(
            file,
            name,
            "has " + quote(parser.getText()) + " in " + key + ", must be a whole number >= 0");
      }
      if (sizes.size() == Dtype.MOST_DIMENSIONS) {
        throw refuse(file, name, "has more than " + Dtype.MOST_DIMENSIONS + " numbers in " + key);
      }
      sizes.add(parser.getLongValue());
    }
    return sizes.stream().mapToLong(Long::longValue).toArray();
  }

  private static void checkTiling(Path file, Map<String, Entry> entries, long dataLength)
      throws InvalidFileException {
    List<Map.Entry<String, Entry>> sorted = new ArrayList<>(entries.entrySet());
    sorted.sort(
        Comparator.<Map.Entry<String, Entry>>comparingLong(e -> e.getValue().begin)
            .thenComparingLong(e -> e.getValue().end));
    long at = 0;
    for (Map.Entry<String, Entry> tensor : sorted) {
      Entry entry = tensor.getValue();
      if (entry.begin != at) {
        throw refuse(
            file,
            tensor.getKey(),
            (entry.begin < at ? "overlaps another one" : "comes after a hole")
                + ": it begins at "
                + entry.begin
                + ", must begin at "
                + at);
      }
      at = entry.end;
    }
    if (at != dataLength) {
      throw new InvalidFileException(
          file, "its tensors end at byte " + at + " of the data, but there are " + dataLength);
    }
  }

  private static InvalidFileException refuse(Path file, String name, String problem) {
    return new InvalidFileException(file, "tensor " + quote(name) + " " + problem);
  }
}
