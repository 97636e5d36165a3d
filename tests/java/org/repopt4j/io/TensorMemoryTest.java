package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

class TensorMemoryTest {
  @TempDir Path folder;

  @Test
  @Tag("slow")
  void tensorsOfMoreThanTwoGigabytesPassWhole() throws Exception {
    long length = (1L << 31) + 5;
    Path file = folder.resolve("sparse");
    long[] marks = {7, (1L << 31) - 1, 1L << 31, length - 1};
    try (FileChannel channel =
            FileChannel.open(
                file,
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        StepScope scope = StepScope.open()) {
      for (int i = 0; i < marks.length; i++) {
        channel.write(ByteBuffer.wrap(new byte[] {(byte) (i + 1)}), 3 + marks[i]);
      }
      Tensor x = TensorMemory.read(file, channel, 3, "x", Dtype.U8, length);
      for (int i = 0; i < marks.length; i++) {
        assertArrayEquals(new long[] {i + 1}, Tensors.toLongs(x.narrow(0, marks[i], 1)));
      }

      CRC32 ofFile = new CRC32();
      ByteBuffer part = ByteBuffer.allocateDirect(1 << 24);
      channel.position(3);
      while (channel.read(part.clear()) > 0) {
        ofFile.update(part.flip());
      }
      CRC32 ofTensor = new CRC32();
      TensorMemory.write(x, ofTensor::update);
      assertEquals(ofFile.getValue(), ofTensor.getValue());
    }
  }

  @Test
  void aFileThatBecameShorterIsRefused() throws Exception {
    Path file = Files.write(folder.resolve("short"), new byte[10]);
    try (FileChannel channel = FileChannel.open(file)) {
      InvalidFileException e =
          assertThrows(
              InvalidFileException.class,
              () -> TensorMemory.read(file, channel, 3, "x", Dtype.F32, 2));
      assertTrue(e.getMessage().contains("it became shorter while it was read"), e.getMessage());
    }
  }
}
