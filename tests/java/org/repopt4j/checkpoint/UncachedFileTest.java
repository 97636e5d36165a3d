package org.repopt4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UncachedFileTest {
  private static final int FOUR_MIB = 4 << 20;

  @TempDir Path folder;

  private static byte[] content(int size) {
    byte[] content = new byte[size];
    new Random(size).nextBytes(content);
    return content;
  }

  /** In pieces of odd sizes, from the heap and from native memory. */
  private static void write(UncachedFile file, byte[] content) throws IOException {
    Random random = new Random(7);
    for (int at = 0; at < content.length; ) {
      int length = Math.min(content.length - at, 1 + random.nextInt(700_000));
      ByteBuffer piece = random.nextBoolean() ? ByteBuffer.allocateDirect(length + 3) : null;
      piece =
          piece == null
              ? ByteBuffer.wrap(content, at, length)
              : piece.position(3).put(3, content, at, length);
      assertEquals(at, file.position());
      assertEquals(length, file.write(piece));
      assertEquals(0, piece.remaining());
      at += length;
    }
    assertEquals(content.length, file.size());
    file.finish();
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        0,
        1,
        4095,
        4096,
        4097,
        FOUR_MIB - 4096,
        FOUR_MIB - 1,
        FOUR_MIB,
        FOUR_MIB + 1,
        2 * FOUR_MIB,
        3 * FOUR_MIB - 777
      })
  void holdsWhatWasWritten(int size) throws IOException {
    ByteBuffer memory = UncachedFile.buffer();
    byte[] content = content(size);
    // The second one finds the memory as the first has left it.
    for (String name : new String[] {"first", "second"}) {
      try (UncachedFile file = UncachedFile.create(folder.resolve(name), memory)) {
        write(file, content);
      }
      assertArrayEquals(content, Files.readAllBytes(folder.resolve(name)), name);
    }
  }

  @Test
  void goesOnAsFilesAreWrittenWhereThereIsNoOtherWay() throws IOException {
    byte[] content = content(2 * FOUR_MIB + 5);
    Path path = folder.resolve("file");
    FileChannel plain =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    FileChannel refusing = FileChannel.open(path, StandardOpenOption.WRITE);
    refusing.close();
    try (UncachedFile file = new UncachedFile(plain, refusing, ByteBuffer.allocate(FOUR_MIB))) {
      write(file, content);
    }
    assertArrayEquals(content, Files.readAllBytes(path));
  }

  @Test
  void doesNotTouchAFileThatIsThere() throws IOException {
    Path path = Files.write(folder.resolve("file"), new byte[] {1, 2, 3});
    assertThrows(
        FileAlreadyExistsException.class,
        () -> UncachedFile.create(path, UncachedFile.buffer()).close());
    assertArrayEquals(new byte[] {1, 2, 3}, Files.readAllBytes(path));
  }

  @Test
  void aFullDiskIsNamedByTheFirstWriteThatFindsItFull() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "needs Linux");
    FileChannel plain = FileChannel.open(full, StandardOpenOption.WRITE);
    FileChannel other = FileChannel.open(full, StandardOpenOption.WRITE);
    byte[] content = new byte[FOUR_MIB];
    Arrays.fill(content, (byte) 1);
    try (UncachedFile file = new UncachedFile(plain, other, ByteBuffer.allocate(FOUR_MIB))) {
      IOException thrown =
          assertThrows(IOException.class, () -> file.write(ByteBuffer.wrap(content)));
      assertEquals("No space left on device", thrown.getMessage());
    }
  }
}
