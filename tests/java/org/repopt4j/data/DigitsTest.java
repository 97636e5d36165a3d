package org.repopt4j.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.io.Resources;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.repopt4j.testkit.Shared;

class DigitsTest {
  private static final int[] PER_CLASS = {178, 182, 177, 183, 181, 182, 181, 179, 174, 180};

  @Test
  void hasAllRowsInTwoHalves() throws IOException {
    Split split = Digits.open();
    assertEquals(1437, split.train().size());
    assertEquals(360, split.test().size());
    assertEquals(10, split.classes());
    assertEquals("7", split.train().classNames().get(7));
    int[] train = perClass(split.train());
    int[] test = perClass(split.test());
    for (int label = 0; label < 10; label++) {
      assertEquals(36, test[label]);
      assertEquals(PER_CLASS[label] - 36, train[label]);
    }
  }

  private static int[] perClass(ImageDataSet images) {
    int[] counts = new int[10];
    for (int i = 0; i < images.size(); i++) {
      counts[images.label(i)]++;
    }
    return counts;
  }

  @Test
  void showsThePixelsOfTheSourceAsBlocks() throws IOException {
    // The first row of the source; the fixed split puts it into the test half.
    int[] zero = {
      0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0, 0, 3, 15, 2, 0, 11, 8, 0, 0, 4, 12, 0, 0,
      8, 8, 0, 0, 5, 8, 0, 0, 9, 8, 0, 0, 4, 11, 0, 1, 12, 7, 0, 0, 2, 14, 5, 10, 12, 0, 0, 0, 0, 6,
      13, 10, 0, 0, 0
    };
    ImageDataSet test = Digits.open().test();
    byte[] bytes = new byte[3072];
    test.read(0, bytes, 0);
    assertEquals(0, test.label(0));
    for (int i = 0; i < 3072; i++) {
      int y = i % 1024 / 32;
      int x = i % 32;
      int level = zero[y / 4 * 8 + x / 4];
      assertEquals((int) Math.floor(level * 255 / 16.0 + 0.5), bytes[i] & 0xff, "byte " + i);
    }
  }

  @Test
  void noImageIsInBothHalvesMoreOftenThanInTheSource() throws IOException {
    Split split = Digits.open();
    Map<String, Integer> seen = new HashMap<>();
    for (ImageDataSet half : new ImageDataSet[] {split.train(), split.test()}) {
      for (int i = 0; i < half.size(); i++) {
        byte[] bytes = new byte[3072];
        half.read(i, bytes, 0);
        seen.merge(half.label(i) + Arrays.toString(bytes), 1, Integer::sum);
      }
    }
    assertEquals(1797, seen.size(), "all 1,797 images of the source differ");
  }

  @Test
  void theSplitIsAlwaysTheSame() throws IOException {
    ImageDataSet test = Digits.open().test();
    ImageDataSet again = Digits.open().test();
    long hash = 0;
    for (int i = 0; i < test.size(); i++) {
      byte[] first = new byte[3072];
      byte[] second = new byte[3072];
      test.read(i, first, 0);
      again.read(i, second, 0);
      assertArrayEquals(first, second);
      hash = hash * 31 + Arrays.hashCode(first);
    }
    assertEquals(-5256993980816320896L, hash, "the published split has changed");
  }

  @Test
  void normalizationIsThatOfTheTrainingHalf() throws IOException {
    ImageDataSet train = Digits.open().train();
    double sum = 0;
    double squares = 0;
    byte[] bytes = new byte[3072];
    for (int i = 0; i < train.size(); i++) {
      train.read(i, bytes, 0);
      for (byte value : bytes) {
        sum += (value & 0xff) / 255.0;
        squares += (value & 0xff) / 255.0 * ((value & 0xff) / 255.0);
      }
    }
    double count = train.size() * 3072.0;
    double mean = sum / count;
    double std = Math.sqrt(squares / count - mean * mean);
    for (int channel = 0; channel < 3; channel++) {
      assertEquals(mean, train.normalization().mean().get(channel), 1e-4);
      assertEquals(std, train.normalization().std().get(channel), 1e-4);
    }
    assertEquals(new Augmentation(4, false), train.augmentation());
  }

  @Test
  void theResourceIsTheSharedFileAndNamesItsLicence() throws IOException {
    byte[] resource = Resources.toByteArray(Resources.getResource(Digits.class, "digits.csv.gz"));
    String notice =
        Resources.toString(
            Resources.getResource(Digits.class, "digits-NOTICE.txt"), StandardCharsets.UTF_8);
    assertTrue(notice.contains("CC BY 4.0") && notice.contains("Alpaydin"), notice);
    assertArrayEquals(Files.readAllBytes(Shared.path("data/digits/digits.csv.gz")), resource);
  }
}
