package org.repopt4j.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CifarFileTest {
  @TempDir Path folder;

  @Test
  void countsImagesBySize() throws IOException {
    Path path = Files.write(folder.resolve("a.bin"), new byte[3073 * 4]);
    assertEquals(4, CifarFile.open(path, new int[] {10}, 10_000).images());
  }

  @Test
  void noticesAFileThatShrinksWhileItIsRead() throws IOException {
    Path path = Files.write(folder.resolve("a.bin"), new byte[3073 * 2]);
    CifarFile file = CifarFile.open(path, new int[] {10}, 10_000);
    for (int size : new int[] {3073 + 100, 3073}) {
      Files.write(path, new byte[size]);
      EOFException e =
          assertThrows(EOFException.class, () -> file.read(new byte[3072 * 2], new int[2], 0));
      assertEquals(path + " ended in image 1 of 2 while it was read", e.getMessage());
    }
  }
}
