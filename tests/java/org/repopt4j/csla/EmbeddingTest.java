package org.repopt4j.csla;

import static org.repopt4j.testkit.Refusals.assertRefused;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.repopt4j.runtime.Tensors;

/** Small placements written out by hand. */
class EmbeddingTest {
  @Test
  void anAsymmetricBranchLiesInTheMiddle() {
    KernelShape block = KernelShape.of(1, 2, 3, 5);
    Branch branch = Branch.conv(block, 1, 3, 1, new double[] {2});
    assertBitEqual(
        "1x3 in 3x5",
        Tensors.of(
            new float[] {
              0, 0, 0, 0, 0, /**/ 0, 2, 4, 6, 0, /**/ 0, 0, 0, 0, 0, //
              0, 0, 0, 0, 0, /**/ 0, 8, 10, 12, 0, /**/ 0, 0, 0, 0, 0
            },
            1,
            2,
            3,
            5),
        Embedding.of(block, branch)
            .embedScaled(Tensors.of(new float[] {1, 2, 3, 4, 5, 6}, 1, 2, 1, 3)));
  }

  @Test
  void aDepthwiseBranchOfADenseBlockMeetsItsOwnInputsOnly() {
    KernelShape block = KernelShape.of(4, 2, 1, 1);
    Branch branch = Branch.conv(block, 1, 1, 2, new double[] {1, -1, 10, 100});
    assertBitEqual(
        "1x1/2 in 1x1",
        Tensors.of(new float[] {3, 0, -4, 0, 0, 50, 0, 600}, 4, 2, 1, 1),
        Embedding.of(block, branch).embedScaled(Tensors.of(new float[] {3, 4, 5, 6}, 4, 1, 1, 1)));
    assertBitEqual(
        "support",
        Tensors.of(new float[] {7, 0, 8, 0, 0, 9, 0, 10}, 4, 2, 1, 1),
        Embedding.of(block, branch)
            .support(new double[] {7, 8, 9, 10}, ScalarType.Float, Tensors.cpu()));
  }

  @Test
  void finerGroupsLieInsideTheBlocksGroups() {
    KernelShape block = KernelShape.of(4, 8, 1, 1).withGroups(2);
    Branch branch = Branch.conv(block, 1, 1, 4, new double[] {1, 1, 1, 1});
    assertBitEqual(
        "1x1/4 in 1x1/2",
        Tensors.of(new float[] {1, 2, 0, 0, 0, 0, 3, 4, 5, 6, 0, 0, 0, 0, 7, 8}, 4, 4, 1, 1),
        Embedding.of(block, branch)
            .embedScaled(Tensors.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 4, 2, 1, 1)));
  }

  @Test
  void onlyTheIdentityMayBeGivenAsAVector() {
    KernelShape block = KernelShape.depthwise(2, 3);
    assertBitEqual(
        "diagonal",
        Tensors.of(new float[] {0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0}, 2, 1, 3, 3),
        Embedding.of(block, Branch.identity(block)).embedScaled(Tensors.of(new float[] {5, 6}, 2)));
    Branch conv = Branch.conv(block, 1, 1, 2, new double[] {1, 1});
    assertRefused(
        () -> Embedding.of(block, conv).embedScaled(Tensors.of(new float[] {5, 6}, 2)),
        "[2, 1, 1, 1]",
        "got: [2]");
  }
}
