package org.repopt4j.csla;

import static org.repopt4j.testkit.TensorAsserts.assertRelative;

import com.fasterxml.jackson.databind.JsonNode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.Golden;

/**
 * The worked example: two 3x3 branches with constant scales, one SGD step, against what Python
 * computed for both sides.
 */
class TwoBranchExampleTest {
  @Test
  void oneStepOfTheBlockEqualsOneStepOfTheSingleConvolution() {
    JsonNode example = Golden.json("two-branch-example.json");
    for (JsonNode one : example.get("cases")) {
      check(example, one);
    }
  }

  private static void check(JsonNode example, JsonNode one) {
    double lr = one.get("lr").asDouble();
    Tensor x = tensor(example.get("x"), 1, 1, 5, 5);
    Tensor w1 = tensor(example.get("w1"), 1, 1, 3, 3);
    Tensor w2 = tensor(example.get("w2"), 1, 1, 3, 3);
    CslaBlock block =
        CslaBlock.of(KernelShape.of(1, 1, 3, 3))
            .conv(3, 3, one.get("alpha").get(0).asDouble())
            .conv(3, 3, one.get("alpha").get(1).asDouble());

    Tensor weight = block.equivalentKernel(w1, w2);
    weight.requires_grad_(true);
    Tensor y =
        torch.conv2d(
            x,
            weight,
            Tensors.optional(null),
            new long[] {1, 1},
            new long[] {1, 1},
            new long[] {1, 1},
            1);
    y.sum().backward();
    Tensor stepped =
        weight
            .detach()
            .sub(
                weight
                    .grad()
                    .mul(block.gradMult().dense(UpdateRule.SGD))
                    .mul(new org.bytedeco.pytorch.Scalar(lr)));

    assertRelative("single convolution", 1e-6, tensor(one.get("gr_updated"), 1, 1, 3, 3), stepped);
    assertRelative("block", 1e-6, tensor(one.get("csla_updated"), 1, 1, 3, 3), stepped);
  }

  private static Tensor tensor(JsonNode values, long... shape) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values.get(i).asDouble();
    }
    return Tensors.of(floats, shape);
  }
}
