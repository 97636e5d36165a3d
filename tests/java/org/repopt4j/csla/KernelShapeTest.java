package org.repopt4j.csla;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.repopt4j.testkit.Refusals.assertRefused;

import org.junit.jupiter.api.Test;

class KernelShapeTest {
  @Test
  void ofKeepsHeightAndWidth() {
    assertEquals(new KernelShape(8, 6, 3, 5, 1, 1, 1, 2), KernelShape.of(8, 6, 3, 5));
  }

  @Test
  void depthwiseHasOneInputForEachOutput() {
    KernelShape shape = KernelShape.depthwise(6, 5);
    assertEquals(new KernelShape(6, 6, 5, 5, 6, 1, 2, 2), shape);
    assertEquals(1, shape.inPerGroup());
    assertArrayEquals(new long[] {6, 1, 5, 5}, shape.tensorShape());
  }

  @Test
  void withChangesOneThingOnly() {
    KernelShape shape = new KernelShape(8, 4, 3, 5, 2, 2, 0, 1);
    assertEquals(new KernelShape(8, 4, 3, 5, 4, 2, 0, 1), shape.withGroups(4));
    assertEquals(new KernelShape(8, 4, 3, 5, 2, 3, 0, 1), shape.withStride(3));
    assertEquals(new KernelShape(8, 4, 3, 5, 2, 2, 4, 4), shape.withPadding(4));
  }

  @Test
  void tensorShapeIsOutInPerGroupHeightWidth() {
    KernelShape shape = new KernelShape(8, 4, 3, 5, 2, 1, 0, 0);
    assertArrayEquals(new long[] {8, 2, 3, 5}, shape.tensorShape());
    assertNotSame(shape.tensorShape(), shape.tensorShape());
    assertEquals("[8, 2, 3, 5]", shape.toString());
  }

  @Test
  void refusesEvenKernels() {
    assertRefused(() -> KernelShape.of(4, 4, 2, 3), "odd", "2x3");
    assertRefused(() -> KernelShape.of(4, 4, 3, 4), "odd", "3x4");
    assertRefused(() -> KernelShape.of(4, 4, 0, 3), "odd", "0x3");
    assertRefused(() -> KernelShape.of(4, 4, 3, -1), "odd", "3x-1");
  }

  @Test
  void refusesChannelsBelowOne() {
    assertRefused(() -> KernelShape.of(0, 4, 3, 3), "at least 1", "out=0");
    assertRefused(() -> KernelShape.of(4, -2, 3, 3), "at least 1", "in=-2");
    assertRefused(() -> KernelShape.depthwise(0, 3), "at least 1", "out=0");
  }

  @Test
  void refusesGroupsThatDoNotDivide() {
    assertRefused(() -> KernelShape.of(6, 4, 3, 3).withGroups(4), "out=6", "groups=4");
    assertRefused(() -> KernelShape.of(6, 4, 3, 3).withGroups(3), "in=4", "groups=3");
    assertRefused(() -> KernelShape.of(6, 4, 3, 3).withGroups(0), "at least 1", "got: 0");
    assertRefused(() -> KernelShape.of(6, 4, 3, 3).withGroups(-2), "at least 1", "got: -2");
  }

  @Test
  void refusesStrideBelowOne() {
    assertRefused(() -> KernelShape.of(4, 4, 3, 3).withStride(0), "stride", "got: 0");
    assertRefused(() -> KernelShape.of(4, 4, 3, 3).withStride(-1), "stride", "got: -1");
  }

  @Test
  void refusesNegativePadding() {
    assertRefused(() -> KernelShape.of(4, 4, 3, 3).withPadding(-1), "padding", "-1x-1");
    assertRefused(() -> new KernelShape(4, 4, 3, 3, 1, 1, 2, -3), "padding", "2x-3");
  }
}
