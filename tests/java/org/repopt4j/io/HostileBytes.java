package org.repopt4j.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Files made by hand, without any of the library's writers. */
final class HostileBytes {
  private final byte[] bytes;

  HostileBytes(byte[] bytes) {
    this.bytes = bytes;
  }

  byte[] bytes() {
    return bytes;
  }

  /** A safetensors file with this header and these data. */
  static HostileBytes safetensors(String header, byte... data) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return safetensors(json.length, json, data);
  }

  /** A safetensors file that claims a header of {@code length} bytes. */
  static HostileBytes safetensors(long length, byte[] header, byte... data) {
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + header.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    return new HostileBytes(bytes.putLong(length).put(header).put(data).array());
  }

  /** A .pth file with this pickle and a record {@code data/0} of 16 bytes. */
  static HostileBytes pth(Pickle pickle) {
    return zip(
        "a/data.pkl", pickle.bytes(), "a/version", new byte[] {'3'}, "a/data/0", new byte[16]);
  }

  /** A good .pth file: four zeros under the name w. */
  static HostileBytes good() {
    return pth(Pickle.dict(new Pickle()));
  }

  /** A zip file of stored entries: name, bytes, name, bytes... */
  static HostileBytes zip(Object... namesAndBytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      for (int i = 0; i < namesAndBytes.length; i += 2) {
        byte[] bytes = (byte[]) namesAndBytes[i + 1];
        ZipEntry entry = new ZipEntry((String) namesAndBytes[i]);
        CRC32 crc = new CRC32();
        crc.update(bytes);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(bytes.length);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(bytes);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new HostileBytes(out.toByteArray());
  }

  /** The file with every occurrence of a text replaced by another one of the same length. */
  HostileBytes replaced(String from, String to) {
    String text = new String(bytes, StandardCharsets.ISO_8859_1).replace(from, to);
    return new HostileBytes(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** The file with four bytes of its zip directory changed, for the entry of this number. */
  HostileBytes directory(int entry, int field, int value) {
    ByteBuffer changed = ByteBuffer.wrap(bytes.clone()).order(ByteOrder.LITTLE_ENDIAN);
    int at = changed.getInt(bytes.length - 22 + 16);
    for (int i = 0; i < entry; i++) {
      at += 46 + changed.getShort(at + 28) + changed.getShort(at + 30);
    }
    return new HostileBytes(changed.putInt(at + field, value).array());
  }

  /** The file with four bytes of its end record changed. */
  HostileBytes end(int field, int value) {
    ByteBuffer changed = ByteBuffer.wrap(bytes.clone()).order(ByteOrder.LITTLE_ENDIAN);
    return new HostileBytes(changed.putInt(bytes.length - 22 + field, value).array());
  }

  /** The first bytes of the file. */
  HostileBytes cut(int length) {
    return new HostileBytes(Arrays.copyOf(bytes, length));
  }

  Path write(Path folder) throws IOException {
    return Files.write(Files.createTempFile(folder, "hostile", ".bin"), bytes);
  }

  /** A pickle, opcode by opcode. */
  static final class Pickle {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Pickle() {
      op(0x80, 2);
    }

    Pickle(String latin1) {
      raw(latin1.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** A dict with a good tensor w and, after it, the keys and values that {@code rest} makes. */
    static Pickle dict(Pickle rest) {
      byte[] inner = rest.bytes();
      return new Pickle()
          .op('}', '(')
          .text("w")
          .tensor(0, new long[] {4}, new long[] {1})
          .raw(Arrays.copyOfRange(inner, 2, inner.length))
          .op('u', '.');
    }

    Pickle op(int... opcodes) {
      for (int opcode : opcodes) {
        out.write(opcode);
      }
      return this;
    }

    Pickle repeat(int count, int... opcodes) {
      for (int i = 0; i < count; i++) {
        op(opcodes);
      }
      return this;
    }

    Pickle text(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      return op('X').i4(utf8.length).raw(utf8);
    }

    Pickle global(String module, String name) {
      return op('c').raw((module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
    }

    Pickle i4(int value) {
      return raw(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(0, value).array());
    }

    Pickle i8(long value) {
      return raw(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, value).array());
    }

    Pickle number(long value) {
      return op(0x8a, 8).i8(value);
    }

    Pickle raw(byte[] bytes) {
      out.writeBytes(bytes);
      return this;
    }

    /** The persistent id of a storage, and BINPERSID. */
    Pickle storage(String type, String key, long count) {
      return op('(')
          .text("storage")
          .global("torch", type)
          .text(key)
          .text("cpu")
          .number(count)
          .op('t', 'Q');
    }

    /** A tensor in the storage {@code data/0}, whose four floats are all that there is. */
    Pickle tensor(long offset, long[] shape, long[] strides) {
      return tensor("FloatStorage", "0", 4, offset, shape, strides);
    }

    Pickle tensor(String type, String key, long count, long offset, long[] shape, long[] strides) {
      global("torch._utils", "_rebuild_tensor_v2").op('(').storage(type, key, count).number(offset);
      return tuple(shape).tuple(strides).op(0x89, 'N', 't', 'R');
    }

    Pickle tuple(long... numbers) {
      op('(');
      for (long number : numbers) {
        number(number);
      }
      return op('t');
    }

    /**
     * A dense tensor in the storage {@code data/0} of 16 bytes without a type, as torch 2 saves.
     */
    Pickle untyped(String type, long offset, long[] shape) {
      global("torch._utils", "_rebuild_tensor_v3").op('(').storage("UntypedStorage", "0", 16);
      number(offset)
          .number(shape[0])
          .op(0x85)
          .op('K', 1, 0x85, 0x89)
          .global("collections", "OrderedDict");
      return op(')', 'R').global("torch", type).op('t', 'R');
    }

    byte[] bytes() {
      return out.toByteArray();
    }
  }
}
