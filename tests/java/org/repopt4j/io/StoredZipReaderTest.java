package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.Arguments;
import org.repopt4j.io.HostileBytes.Pickle;
import org.repopt4j.runtime.Tensors;

class StoredZipReaderTest extends HostileFiles {
  static Stream<Arguments> cases() {
    byte[] pickle = Pickle.dict(new Pickle()).bytes();
    byte[] data = new byte[16];
    HostileBytes pair = HostileBytes.zip("a/data.pkl", pickle, "a/data/0", data, "a/data/1", data);
    return Stream.of(
        Arguments.of("name twice", "is there twice", pair.replaced("a/data/1", "a/data/0")),
        Arguments.of(
            "entry that begins elsewhere",
            "differs from the zip directory",
            pair.directory(2, 42, 10)),
        Arguments.of("entry inside of another one", "overlap", overlapping()),
        Arguments.of(
            "length beyond the file",
            "reaches",
            pair.directory(1, 20, 1 << 30).directory(1, 24, 1 << 30)),
        Arguments.of(
            "length over the next entry",
            "overlaps",
            pair.directory(1, 20, 30).directory(1, 24, 30)),
        Arguments.of("two lengths", "has two lengths", pair.directory(1, 24, 17)),
        Arguments.of("offset beyond the file", "reaches", pair.directory(1, 42, 1 << 30)),
        Arguments.of("encrypted", "is encrypted", pair.directory(1, 8, 1)),
        Arguments.of("bomb", "is compressed", bomb()),
        Arguments.of(
            "path upwards",
            "not plainly named",
            HostileBytes.zip("a/data.pkl", pickle, "a/../../x", data)),
        Arguments.of(
            "absolute path",
            "not plainly named",
            HostileBytes.zip("a/data.pkl", pickle, "/etc/x", data)),
        Arguments.of(
            "drive", "not plainly named", HostileBytes.zip("a/data.pkl", pickle, "C:x", data)),
        Arguments.of(
            "backslash", "not plainly named", HostileBytes.zip("a/data.pkl", pickle, "a\\x", data)),
        Arguments.of(
            "control character",
            "not plainly named",
            HostileBytes.zip("a/data.pkl", pickle, "a/\u0007", data)),
        Arguments.of(
            "invalid UTF-8 name", "not valid UTF-8", pair.replaced("a/data/1", "a/data/\u00ff")),
        Arguments.of("no data.pkl", "0 records data.pkl", HostileBytes.zip("a/data", data)),
        Arguments.of(
            "data.pkl too deep", "0 records data.pkl", HostileBytes.zip("a/b/data.pkl", pickle)),
        Arguments.of(
            "two archives",
            "2 records data.pkl",
            HostileBytes.zip("a/data.pkl", pickle, "b/data.pkl", pickle)),
        Arguments.of(
            "big endian",
            "byte order is 'big'",
            HostileBytes.zip(
                "a/data.pkl",
                pickle,
                "a/byteorder",
                "big".getBytes(StandardCharsets.US_ASCII),
                "a/data/0",
                data)),
        Arguments.of(
            "TorchScript",
            "TorchScript",
            HostileBytes.zip("a/data.pkl", pickle, "a/constants.pkl", pickle)),
        Arguments.of("record of no storage", "is missing", HostileBytes.zip("a/data.pkl", pickle)),
        Arguments.of(
            "count of entries too high", "is broken", HostileBytes.good().end(8, 0x00090009)),
        Arguments.of(
            "count of entries too low", "longer than", HostileBytes.good().end(8, 0x00010001)),
        Arguments.of("zip64 without its record", "zip64", HostileBytes.good().end(8, 0xFFFFFFFF)),
        Arguments.of("directory elsewhere", "does not end where", HostileBytes.good().end(16, 0)),
        Arguments.of(
            "comment",
            "no zip directory",
            new HostileBytes(
                Arrays.copyOf(
                    HostileBytes.good().bytes(), HostileBytes.good().bytes().length + 3))));
  }

  // Two entries of the directory with different names, the second inside the first one's data.
  private static HostileBytes overlapping() {
    HostileBytes inner = HostileBytes.zip("x/x", new byte[] {1});
    HostileBytes outer = HostileBytes.zip("a/data.pkl", inner.bytes(), "x/x", new byte[] {1});
    return outer.directory(1, 42, 30 + "a/data.pkl".length());
  }

  private static HostileBytes bomb() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      zip.putNextEntry(new ZipEntry("a/data.pkl"));
      zip.write(new byte[50 << 20]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new HostileBytes(out.toByteArray());
  }

  /**
   * Two sparse entries whose length, and the second one's place, are the very number that sends a
   * reader to the zip64 fields (APPNOTE 4.5.3): there the same number is meant as it stands.
   */
  @Test
  void fourGigabytesLessOneByteIsALengthLikeAnyOther() throws IOException {
    long mark = 0xFFFFFFFFL;
    long between = mark - 2 * 31;
    Path file =
        sparse(
            new long[] {0, 31 + between, mark},
            new long[] {between, 0, mark},
            extra(),
            extra(),
            extra(mark, mark, mark));
    try (FileChannel channel = FileChannel.open(file)) {
      StoredZipReader.Entry entry = StoredZipReader.entries(file, channel).get("c");
      assertEquals(mark, entry.header());
      assertEquals(mark, entry.length());
      assertEquals(2 * mark + 31, entry.end());
    }
    assertEquals(
        List.of("a " + between + " 0", "b 0 " + (31 + between), "c " + mark + " " + mark),
        PythonTorch.code(
            "import zipfile\n"
                + "for e in zipfile.ZipFile('%s').infolist():\n".formatted(file)
                + "    print(e.filename, e.file_size, e.header_offset)"));
  }

  @Test
  void aMarkThatLeadsNowhereIsRefused() throws IOException {
    long mark = 0xFFFFFFFFL;
    for (byte[] extra : List.of(extra(), extra(mark))) {
      Path file = sparse(new long[] {0}, new long[] {mark}, extra);
      try (FileChannel channel = FileChannel.open(file)) {
        String message =
            assertThrows(InvalidFileException.class, () -> StoredZipReader.entries(file, channel))
                .getMessage();
        assertTrue(message.contains("'a' reaches beyond the end of the file"), message);
      }
    }
  }

  /** Entries a, b, ... whose data are holes. */
  private Path sparse(long[] headers, long[] lengths, byte[]... extras) throws IOException {
    Path file = folder.resolve("holes-" + System.nanoTime() + ".zip");
    ByteBuffer central = ByteBuffer.allocate(1000).order(ByteOrder.LITTLE_ENDIAN);
    long at = 0;
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (int i = 0; i < headers.length; i++) {
        ByteBuffer local = ByteBuffer.allocate(31).order(ByteOrder.LITTLE_ENDIAN);
        local.putInt(0, 0x04034b50).putShort(26, (short) 1).put(30, (byte) ('a' + i));
        channel.write(local, headers[i]);
        at = headers[i] + 31 + lengths[i];
        int begin = central.position();
        central.putInt(begin, 0x02014b50);
        central.putInt(begin + 20, (int) lengths[i]).putInt(begin + 24, (int) lengths[i]);
        central.putShort(begin + 28, (short) 1).putShort(begin + 30, (short) extras[i].length);
        central.putInt(begin + 42, (int) headers[i]).put(begin + 46, (byte) ('a' + i));
        central.position(begin + 47).put(extras[i]);
      }
      int length = central.position();
      central.putInt(0x06064b50).putLong(44).putInt(0).putInt(0).putInt(0);
      central.putLong(headers.length).putLong(headers.length).putLong(length).putLong(at);
      central.putInt(0x07064b50).putInt(0).putLong(at + length).putInt(1);
      central.putInt(0x06054b50).putInt(0).putShort((short) headers.length);
      central.putShort((short) headers.length).putInt(length).putInt(-1).putShort((short) 0);
      channel.write(central.flip(), at);
    }
    return file;
  }

  private static byte[] extra(long... values) {
    ByteBuffer extra = ByteBuffer.allocate(4 + 8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    extra.putShort((short) 1).putShort((short) (8 * values.length));
    for (long value : values) {
      extra.putLong(value);
    }
    return values.length == 0 ? new byte[0] : extra.array();
  }

  @Test
  void recordsBeyondFourGigabytesAreRead() throws Exception {
    Path file = folder.resolve("sparse.pth");
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      StoredZipWriter zip = new StoredZipWriter(channel);
      zip.add("a/data.pkl", Pickle.dict(new Pickle()).bytes());
      channel.position(5L << 30);
      zip.add("a/data/0", new byte[] {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
      zip.add("a/version", new byte[] {'3'});
      zip.finish();
    }
    try (TensorFile read = StateDicts.read(file)) {
      assertArrayEquals(new float[] {1, 0, 0, 0}, Tensors.toFloats(read.tensor("w")));
      assertEquals(
          SampleTensors.describe(read.tensors()), PythonTorch.tensorFiles("describe", file));
    }
  }
}
