package org.repopt4j.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class InMemoryImagesTest {
  @Test
  void givesBytesAndLabelsAndKeepsItsOwnCopy() {
    byte[] pixels = {1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6};
    int[] labels = {2, 0};
    ImageDataSet images = TestImages.of(pixels, labels, 1, 2);
    pixels[7] = 99;
    labels[1] = 1;
    byte[] into = new byte[8];
    images.read(1, into, 2);
    assertArrayEquals(new byte[] {0, 0, -1, -2, -3, -4, -5, -6}, into);
    assertEquals(2, images.label(0));
    assertEquals(0, images.label(1));
    assertEquals(6, images.imageBytes());
    assertEquals(3, images.classes());
  }

  @Test
  void refusesIndicesOutOfRange() {
    ImageDataSet images = TestImages.random(2, 1, 2);
    assertThrows(IndexOutOfBoundsException.class, () -> images.label(2));
    assertThrows(IndexOutOfBoundsException.class, () -> images.read(-1, new byte[6], 0));
    assertThrows(IndexOutOfBoundsException.class, () -> images.read(0, new byte[6], 1));
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertMessage("no image", new byte[0], new int[0]);
    assertMessage("2 images of 3x1x2 bytes are not 11 bytes", new byte[11], new int[2]);
    assertMessage("label of image 1 must be from 0 to 2, got: 3", new byte[12], new int[] {0, 3});
    assertMessage("label of image 0 must be from 0 to 2, got: -1", new byte[6], new int[] {-1});
  }

  private static void assertMessage(String part, byte[] pixels, int[] labels) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> TestImages.of(pixels, labels, 1, 2))
            .getMessage();
    assertTrue(message.contains(part), message);
  }

  @Test
  void halvesMustBelongTogether() {
    ImageDataSet images = TestImages.random(2, 4, 4);
    assertThrows(
        IllegalArgumentException.class, () -> new Split(images, TestImages.random(2, 4, 5)));
  }
}
