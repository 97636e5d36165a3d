package org.repopt4j.csla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.repopt4j.testkit.Refusals.assertRefused;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;
import static org.repopt4j.testkit.TensorAsserts.assertRelative;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.BlockKind;
import org.repopt4j.testkit.Golden;
import org.repopt4j.testkit.NaiveBlock;

class CslaBlockTest {
  // These tensors are small: more threads would only wait for each other.
  @BeforeContainer
  static void oneThread() {
    Natives.threads(1);
  }

  @AfterContainer
  static void allThreads() {
    Natives.threads(Runtime.getRuntime().availableProcessors());
  }

  @Property(tries = 200, shrinking = ShrinkingMode.OFF)
  void equivalentKernelPlacesEveryBranch(@ForAll BlockKind kind, @ForAll long seed) {
    try (StepScope scope = StepScope.open()) {
      NaiveBlock naive = kind.random(seed);
      Tensor kernel = naive.block().equivalentKernel(naive.kernels());
      assertEquals(ScalarType.Double, kernel.scalar_type().intern());
      assertRelative("kernel", 1e-14, naive.equivalentKernel(), kernel);
    }
  }

  @Property(tries = 200, shrinking = ShrinkingMode.OFF)
  void oneConvolutionComputesTheBlock(@ForAll BlockKind kind, @ForAll long seed) {
    try (StepScope scope = StepScope.open()) {
      NaiveBlock naive = kind.random(seed);
      KernelShape shape = naive.block().shape();
      Tensor input = naive.input();
      Tensor output =
          torch.conv2d(
              input,
              naive.block().equivalentKernel(naive.kernels()),
              Tensors.optional(null),
              new long[] {shape.stride(), shape.stride()},
              new long[] {shape.paddingH(), shape.paddingW()},
              new long[] {1, 1},
              shape.groups());
      assertRelative("output", 1e-12, naive.forward(input), output);
    }
  }

  @Tag("device")
  @ParameterizedTest
  @ValueSource(strings = {"sgd-idscale", "sgd-noidscale", "adamw-idscale"})
  void equivalentKernelIsTheOfficialReinitialization(String name) {
    Golden golden = Golden.read("vgg-tiny-" + name + "-train.safetensors");
    int n = 0;
    for (String conv : golden.tensors("mult.").keySet()) {
      Tensor before = golden.tensor("before." + conv);
      List<Tensor> kernels = new ArrayList<>(List.of(before, golden.tensor("fresh1x1." + n)));
      CslaBlock block = officialBlock(golden, n, Tensors.shape(before));
      if (golden.has("scale." + n + ".identity")) {
        Tensor scale = golden.tensor("scale." + n + ".identity");
        boolean used = golden.metadata("use_identity_scales").equals("True");
        kernels.add(used ? scale : torch.ones_like(scale));
      }
      assertBitEqual(conv, golden.tensor("reinit." + conv), block.equivalentKernel(kernels));
      n++;
    }
    assertEquals(7, n);
  }

  @Tag("device")
  @ParameterizedTest
  @ValueSource(strings = {"sgd", "adamw"})
  void equivalentKernelIsTheOfficialReinitializationOfGhostModules(String name) {
    Golden golden = Golden.read("ghost-module-" + name + ".safetensors");
    for (int n = 0; n < 2; n++) {
      String conv = n + ".cheap_operation.0.weight";
      Tensor before = golden.tensor("before." + conv);
      Map<String, Tensor> scales = golden.tensors("scale." + n + ".");
      int k = (int) before.size(2);
      Tensor kernel =
          CslaBlock.of(KernelShape.depthwise((int) before.size(0), k))
              .conv(k, k, scales.get("conv"))
              .identity()
              .equivalentKernel(before, scales.get("fusion"));
      assertBitEqual(conv, golden.tensor("reinit." + conv), kernel);
    }
  }

  /** The official RepOpt-VGG block: 3x3, then 1x1, then identity where the file has its scale. */
  static CslaBlock officialBlock(Golden golden, int n, long... shape) {
    CslaBlock block =
        CslaBlock.of(KernelShape.of((int) shape[0], (int) shape[1], 3, 3))
            .conv(3, 3, golden.tensor("scale." + n + ".conv"))
            .conv(1, 1, golden.tensor("scale." + n + ".1x1"));
    return golden.has("scale." + n + ".identity") ? block.identity() : block;
  }

  @Test
  void addingABranchGivesANewBlock() {
    CslaBlock one = CslaBlock.of(KernelShape.of(2, 2, 3, 3)).conv(3, 3, 1.0);
    CslaBlock two = one.identity();
    assertEquals(1, one.branches().size());
    assertEquals(2, two.branches().size());
    assertEquals("CslaBlock[2, 2, 3, 3][3x3, identity]", two.toString());
  }

  @Test
  void scalesMayBeGivenAsATensorOrAsOneNumber() {
    CslaBlock block =
        CslaBlock.of(KernelShape.of(2, 1, 1, 1))
            .conv(1, 1, Tensors.of(new float[] {0.1f, -3}, 2, 1, 1, 1))
            .conv(1, 1, 0.1);
    assertEquals((double) 0.1f, block.branches().get(0).scale(0));
    assertEquals(-3.0, block.branches().get(0).scale(1));
    assertEquals(0.1, block.branches().get(1).scale(1));
  }

  @Test
  void equivalentKernelHasNoGradientAndIsNew() {
    Tensor kernel = Tensors.of(new float[] {1, 2}, 2, 1, 1, 1);
    kernel.requires_grad_(true);
    Tensor result =
        CslaBlock.of(KernelShape.of(2, 1, 1, 1)).conv(1, 1, 1.0).equivalentKernel(kernel);
    assertFalse(result.requires_grad());
    try (NoGrad noGrad = NoGrad.open()) {
      kernel.zero_();
    }
    assertBitEqual("result", Tensors.of(new float[] {1, 2}, 2, 1, 1, 1), result);
  }

  @Test
  void refusesWrongKernels() {
    CslaBlock block = CslaBlock.of(KernelShape.of(2, 3, 3, 3)).conv(3, 3, 1.0).conv(1, 1, 1.0);
    Tensor large = Tensors.of(new float[54], 2, 3, 3, 3);
    Tensor small = Tensors.of(new float[6], 2, 3, 1, 1);
    assertRefused(() -> block.equivalentKernel(large), "2 branches", "1 kernels");
    assertRefused(() -> block.equivalentKernel(large, small, small), "2 branches", "3 kernels");
    assertRefused(() -> block.equivalentKernel(), "2 branches", "0 kernels");
    assertRefused(
        () -> block.equivalentKernel(small, large), "3x3", "[2, 3, 3, 3]", "got: [2, 3, 1, 1]");
    assertRefused(
        () -> block.equivalentKernel(large, Tensors.of(new float[6], 2, 3)), "1x1", "got: [2, 3]");
  }

  @Test
  void refusesKernelsOfDifferentTypes() {
    CslaBlock block = CslaBlock.of(KernelShape.of(1, 1, 1, 1)).conv(1, 1, 1.0).identity();
    Tensor floats = Tensors.of(new float[1], 1, 1, 1, 1);
    Tensor doubles = Tensors.of(new double[1], 1, 1, 1, 1);
    assertRefused(() -> block.equivalentKernel(floats, doubles), "Float", "Double");
  }

  @Test
  void refusesASecondIdentity() {
    CslaBlock block = CslaBlock.of(KernelShape.of(2, 2, 3, 3)).identity();
    assertRefused(block::identity, "identity branch already");
  }

  @Test
  void refusesToDoAnythingWithoutABranch() {
    CslaBlock empty = CslaBlock.of(KernelShape.of(2, 2, 3, 3));
    assertRefused(() -> empty.equivalentKernel(), "[2, 2, 3, 3]", "no branch");
    assertRefused(empty::gradMult, "[2, 2, 3, 3]", "no branch");
    assertRefused(empty::module, "[2, 2, 3, 3]", "no branch");
  }
}
