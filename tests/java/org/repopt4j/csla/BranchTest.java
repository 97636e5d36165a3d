package org.repopt4j.csla;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;

import org.junit.jupiter.api.Test;

class BranchTest {
  private static final KernelShape SHAPE = new KernelShape(8, 4, 5, 3, 2, 1, 2, 1);

  @Test
  void saysWhatItIs() {
    double[] scales = {1, 2, 3, 4, 5, 6, 7, 8};
    Branch branch = CslaBlock.of(SHAPE).conv(5, 1, 4, scales).branches().get(0);
    assertEquals(5, branch.kh());
    assertEquals(1, branch.kw());
    assertEquals(4, branch.groups());
    assertEquals(3.0, branch.scale(2));
    assertArrayEquals(scales, branch.scales());
    assertFalse(branch.isIdentity());
    assertArrayEquals(new long[] {8, 1, 5, 1}, branch.tensorShape(SHAPE));
    assertEquals("5x1/4", branch.toString());
  }

  @Test
  void identityIsADepthwiseBranchOfScaleOne() {
    KernelShape shape = KernelShape.of(3, 3, 5, 3);
    Branch branch = CslaBlock.of(shape).identity().branches().get(0);
    assertTrue(branch.isIdentity());
    assertEquals(1, branch.kh());
    assertEquals(1, branch.kw());
    assertEquals(3, branch.groups());
    assertArrayEquals(new double[] {1, 1, 1}, branch.scales());
    assertArrayEquals(new long[] {3, 1, 1, 1}, branch.tensorShape(shape));
    assertEquals("identity", branch.toString());
  }

  @Test
  void scalesAreCopiedInAndOut() {
    double[] scales = {1, 2, 3, 4, 5, 6, 7, 8};
    Branch branch = Branch.conv(SHAPE, 3, 3, 2, scales);
    scales[0] = 100;
    branch.scales()[1] = 200;
    assertEquals(1.0, branch.scale(0));
    assertEquals(2.0, branch.scale(1));
  }

  @Test
  void refusesEvenSides() {
    assertRefused(() -> Branch.conv(SHAPE, 2, 3, 2, new double[8]), "odd", "2x3");
    assertRefused(() -> Branch.conv(SHAPE, 3, 0, 2, new double[8]), "odd", "3x0");
    assertRefused(() -> Branch.conv(SHAPE, -3, 3, 2, new double[8]), "odd", "-3x3");
  }

  @Test
  void refusesABranchLargerThanTheBlock() {
    assertRefused(() -> Branch.conv(SHAPE, 7, 3, 2, new double[8]), "7x3", "5x3");
    assertRefused(() -> Branch.conv(SHAPE, 5, 5, 2, new double[8]), "5x5", "5x3");
  }

  @Test
  void refusesGroupsThatAreNoMultipleOfTheBlocks() {
    assertRefused(() -> Branch.conv(SHAPE, 3, 3, 1, new double[8]), "multiple", "got: 1");
    assertRefused(() -> Branch.conv(SHAPE, 3, 3, 3, new double[8]), "multiple", "got: 3");
    assertRefused(() -> Branch.conv(SHAPE, 3, 3, 0, new double[8]), "multiple", "got: 0");
    assertRefused(() -> Branch.conv(SHAPE, 3, 3, -2, new double[8]), "multiple", "got: -2");
  }

  @Test
  void refusesGroupsThatDoNotDivideTheChannels() {
    assertRefused(() -> Branch.conv(SHAPE, 3, 3, 8, new double[8]), "in=4", "got: 8");
    KernelShape narrow = KernelShape.of(2, 4, 3, 3);
    assertRefused(() -> Branch.conv(narrow, 3, 3, 4, new double[2]), "out=2", "got: 4");
  }

  @Test
  void refusesAWrongNumberOfScales() {
    assertRefused(() -> Branch.conv(SHAPE, 3, 3, 2, new double[7]), "8 output", "got: 7");
    assertRefused(() -> Branch.conv(SHAPE, 3, 3, 2, new double[0]), "8 output", "got: 0");
  }

  @Test
  void refusesScalesThatAreNoNumbers() {
    for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY, -1.0 / 0.0}) {
      double[] scales = new double[8];
      scales[5] = bad;
      assertRefused(() -> Branch.conv(SHAPE, 3, 3, 2, scales), "finite", bad + " at", "channel 5");
    }
  }

  @Test
  void refusesAnIdentityThatChangesTheShape() {
    assertRefused(() -> Branch.identity(KernelShape.of(4, 3, 3, 3)), "in=3", "out=4");
    assertRefused(
        () -> Branch.identity(KernelShape.of(4, 4, 3, 3).withStride(2)), "stride 1", "got: 2");
  }
}
