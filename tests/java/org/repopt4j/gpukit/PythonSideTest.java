package org.repopt4j.gpukit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.repopt4j.testkit.TensorAsserts.assertRelative;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.io.PythonTorch;
import org.repopt4j.io.SafetensorsWriter;
import org.repopt4j.io.StateDicts;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.optim.ParameterGroup;
import org.repopt4j.optim.ParameterGroups;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.testkit.OneThread;

/** PyTorch's side of the GPU benchmarks (tests/bench/gpu) computes what ours computes. */
@Tag("slow")
@ExtendWith(OneThread.class)
class PythonSideTest {
  private static final String SCRIPT = "../bench/gpu/agree.py";

  @TempDir private Path folder;

  private Map<String, Tensor> python(Map<String, Tensor> given, Object... arguments)
      throws IOException {
    Path input = folder.resolve("input.safetensors");
    Path output = folder.resolve("output.safetensors");
    SafetensorsWriter.write(input, given, Map.of());
    Object[] all = new Object[arguments.length + 2];
    all[0] = arguments[0];
    all[1] = input;
    all[2] = output;
    System.arraycopy(arguments, 1, all, 3, arguments.length - 1);
    PythonTorch.script(SCRIPT, all);
    return StateDicts.read(output).tensors();
  }

  @ParameterizedTest
  @EnumSource(
      value = Mode.class,
      names = {"TARGET", "MULTI_BRANCH"})
  void networksAgree(Mode mode) throws IOException {
    Natives.manualSeed(5);
    try (StepScope scope = StepScope.open()) {
      Network network = Architecture.named("RepOpt-VGG-tiny").build(mode, 10);
      Tensor images = torch.randn(4, 3, 32, 32);
      Map<String, Tensor> given = new LinkedHashMap<>(network.stateDict());
      given.put("images", images);
      String name = mode == Mode.TARGET ? "target" : "repvgg";
      Map<String, Tensor> found = python(given, "forward", "RepOpt-VGG-tiny", name);

      network.train(true);
      Tensor logits = network.forward(images);
      logits.pow(new Scalar(2)).sum().backward();
      assertRelative("logits", 1e-5, logits, found.get("logits"));
      assertEquals(network.namedParameters().size() + 1, found.size());
      network
          .namedParameters()
          .forEach(
              (parameter, tensor) ->
                  assertRelative(parameter, 2e-3, tensor.grad(), found.get("grad." + parameter)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"per-tensor", "masked"})
  void updatesAgree(String way) throws IOException {
    Natives.manualSeed(6);
    double[] three = {0.3, -0.7, 1.1, 0.9};
    double[] one = {0.5, 0.4, -1.3, 0.2};
    CslaBlock block =
        CslaBlock.of(KernelShape.of(4, 4, 3, 3)).conv(3, 3, three).conv(1, 1, one).identity();
    try (StepScope scope = StepScope.open()) {
      GradMult mult = block.gradMult();
      Tensor a = torch.randn(4, 4, 3, 3).requires_grad_(true);
      Tensor b = torch.randn(7).requires_grad_(true);
      Map<String, Tensor> given = new LinkedHashMap<>();
      given.put("weight.a", a.clone());
      given.put("weight.b", b.clone());
      given.put("mask.a", mult.dense(UpdateRule.SGD).to(ScalarType.Float));
      for (int step = 0; step < 3; step++) {
        given.put("grad.a." + step, torch.randn(4, 4, 3, 3));
        given.put("grad.b." + step, torch.randn(7));
      }
      Map<String, Tensor> found = python(given, "update", way);

      RepOptimizer sgd =
          RepOptimizer.sgd(
                  ParameterGroups.of(
                      ParameterGroup.of(Map.of("a", a), 0.01),
                      ParameterGroup.of(Map.of("b", b), 0)))
              .lr(0.1)
              .momentum(0.9)
              .nesterov(true)
              .gradMult(a, mult)
              .build();
      for (int step = 0; step < 3; step++) {
        try (NoGrad noGrad = NoGrad.open()) {
          a.mutable_grad().put(given.get("grad.a." + step).clone());
          b.mutable_grad().put(given.get("grad.b." + step).clone());
        }
        sgd.step();
      }
      assertRelative("with a mask and weight decay", 1e-6, a, found.get("a"));
      assertRelative("with neither", 1e-6, b, found.get("b"));
    }
  }
}
