package org.repopt4j.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.testkit.Shared;

class CifarTest {
  private static final String NAMES_100 = "name\n".repeat(100);

  @TempDir Path folder;

  @Test
  void readsCifar10() throws IOException {
    byte[][] files = new byte[6][];
    for (int i = 0; i < 6; i++) {
      files[i] = records(3 + i, i, 10);
      String name = i < 5 ? "data_batch_" + (i + 1) + ".bin" : "test_batch.bin";
      Files.write(folder.resolve(name), files[i]);
    }
    Files.writeString(
        folder.resolve("batches.meta.txt"),
        "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
    Split split = Cifar.CIFAR10.open(folder);
    assertEquals(3 + 4 + 5 + 6 + 7, split.train().size());
    assertEquals(8, split.test().size());
    assertEquals(10, split.classes());
    assertEquals("truck", split.test().classNames().get(9));
    assertEquals(Normalization.CIFAR10, split.train().normalization());
    assertEquals(Augmentation.CIFAR, split.train().augmentation());
    int at = 0;
    for (int file = 0; file < 5; file++) {
      for (int i = 0; i < 3 + file; i++) {
        assertRecord(files[file], i, 1, split.train(), at++);
      }
    }
    assertRecord(files[5], 7, 1, split.test(), 7);
  }

  @Test
  void readsCifar100InTheFolderOfThePublishedArchive() throws IOException {
    Path inner = Files.createDirectory(folder.resolve("cifar-100-binary"));
    byte[] train = records(5, 1, 20, 100);
    byte[] test = records(1, 2, 20, 100);
    write100(inner, train, test, NAMES_100);
    Split split = Cifar.CIFAR100.open(folder);
    assertEquals(5, split.train().size());
    assertEquals(100, split.classes());
    assertEquals(Normalization.CIFAR100, split.train().normalization());
    for (int i = 0; i < 5; i++) {
      assertRecord(train, i, 2, split.train(), i);
    }
    assertRecord(test, 0, 2, split.test(), 0);
  }

  @Test
  void readsTheSharedGlyphs() throws IOException {
    Path glyphs = Shared.path("data/glyphs100");
    Split split = Cifar.CIFAR100.open(glyphs);
    assertEquals(12_000, split.train().size());
    assertEquals(2_000, split.test().size());
    byte[] file = Files.readAllBytes(glyphs.resolve("train.bin"));
    for (int i : new int[] {0, 1, 777, 11_999}) {
      assertRecord(file, i, 2, split.train(), i);
    }
    // Line 78 of fine_label_names.txt.
    assertEquals(77, split.train().label(0));
    assertEquals("Ц", split.train().classNames().get(77));
  }

  private static void assertRecord(
      byte[] file, int record, int labels, ImageDataSet images, int index) {
    int begin = record * (labels + 3072);
    byte[] bytes = new byte[3072 + 2];
    images.read(index, bytes, 1);
    assertEquals(0, bytes[0]);
    assertEquals(0, bytes[3073]);
    assertArrayEquals(
        Arrays.copyOfRange(file, begin + labels, begin + labels + 3072),
        Arrays.copyOfRange(bytes, 1, 3073));
    assertEquals(file[begin + labels - 1], images.label(index));
  }

  @Test
  void namesTheFileItsSizeAndTheExpectedSize() throws IOException {
    byte[] whole = records(2, 3, 20, 100);
    write100(folder, Arrays.copyOf(whole, whole.length - 1), whole, NAMES_100);
    assertFails(
        "train.bin", "cut off or another file", "6,147 bytes", "multiple of 3,074", "153,700,000");
    write100(folder, whole, new byte[0], NAMES_100);
    assertFails("test.bin", "is empty", "0 bytes", "multiple of 3,074", "30,740,000");
  }

  @Test
  void refusesLabelsOutOfRange() throws IOException {
    byte[] good = records(2, 3, 20, 100);
    byte[] coarse = good.clone();
    coarse[3074] = 20;
    write100(folder, coarse, good, NAMES_100);
    assertFails("train.bin", "image 1 of 2 has the label 20", "from 0 to 19");
    byte[] fine = good.clone();
    fine[1] = (byte) 200;
    write100(folder, good, fine, NAMES_100);
    assertFails("test.bin", "image 0 of 2 has the label 200", "from 0 to 99");
  }

  @Test
  void refusesNamesThatDoNotFit() throws IOException {
    byte[] good = records(1, 3, 20, 100);
    write100(folder, good, good, "name\n".repeat(99));
    assertFails("fine_label_names.txt must have 100 class names", "got: 99");
    Files.write(folder.resolve("fine_label_names.txt"), new byte[] {(byte) 0xff, (byte) 0xfe});
    assertFails("fine_label_names.txt must be UTF-8 text");
    Files.write(folder.resolve("fine_label_names.txt"), new byte[2 << 20]);
    assertFails("fine_label_names.txt has 2,097,152 bytes, too many");
  }

  @Test
  void refusesWhatIsNotThere() throws IOException {
    assertFails("train.bin does not exist; cifar100 needs a folder with train.bin, test.bin and");
    byte[] good = records(1, 3, 20, 100);
    write100(folder, good, good, NAMES_100);
    Files.delete(folder.resolve("test.bin"));
    assertFails("test.bin does not exist");
    Files.createDirectory(folder.resolve("test.bin"));
    assertFails("test.bin is not a file");
    assertFails(folder.resolve("absent"), "absent does not exist", "cifar-100-binary.tar.gz");
    assertFails(folder.resolve("train.bin"), "train.bin is not a folder");
  }

  private void assertFails(String... parts) {
    assertFails(folder, parts);
  }

  private static void assertFails(Path folder, String... parts) {
    IOException e = assertThrows(IOException.class, () -> Cifar.CIFAR100.open(folder));
    for (String part : parts) {
      assertTrue(e.getMessage().contains(part), e.getMessage());
    }
  }

  private static void write100(Path to, byte[] train, byte[] test, String names)
      throws IOException {
    Files.write(to.resolve("train.bin"), train);
    Files.write(to.resolve("test.bin"), test);
    Files.write(to.resolve("fine_label_names.txt"), names.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] records(int count, long seed, int... limits) {
    Random random = new Random(seed);
    int record = limits.length + 3072;
    byte[] bytes = new byte[count * record];
    random.nextBytes(bytes);
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < limits.length; j++) {
        bytes[i * record + j] = (byte) random.nextInt(limits[j]);
      }
    }
    return bytes;
  }
}
