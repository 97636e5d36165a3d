package org.repopt4j.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;
import static org.repopt4j.testkit.TensorAsserts.assertRelative;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.Golden;
import org.repopt4j.testkit.TestDevice;

/** Against what the official Python optimizers made of a tiny RepOpt-VGG in 12 steps. */
@Tag("device")
class OfficialTrainingTest {
  private static final List<String> BLOCKS =
      List.of("stage0", "stage1.0", "stage2.0", "stage2.1", "stage3.0", "stage3.1", "stage4.0");

  /** The network as tensors by name, its Grad Mults, and the official optimizer for it. */
  private static final class Job {
    final Golden golden;
    final Map<String, Tensor> tensors;
    final Map<String, Tensor> parameters = new LinkedHashMap<>();
    final UpdateRule rule;
    final RepOptimizer optimizer;

    Job(String file, Engine engine) throws JsonProcessingException {
      golden = Golden.read(file);
      tensors = golden.tensors("reinit.");
      tensors.forEach(
          (name, tensor) -> {
            if (name.endsWith(".weight") || name.endsWith(".bias")) {
              parameters.put(name, tensor.requires_grad_(true));
            }
          });
      GradMults mults = GradMults.none();
      for (int b = 0; b < BLOCKS.size(); b++) {
        mults = mults.and(parameters.get(BLOCKS.get(b) + ".conv.weight"), gradMult(b));
      }
      JsonNode hyper = new ObjectMapper().readTree(golden.metadata("hyper"));
      ParameterGroups groups =
          ParameterGroups.official(parameters, hyper.get("weight_decay").asDouble());
      boolean sgd = golden.metadata("rule").equals("sgd");
      rule = sgd ? UpdateRule.SGD : UpdateRule.ADAMW_OFFICIAL;
      RepOptimizerBuilder<?> builder =
          sgd
              ? RepOptimizer.sgd(groups)
                  .momentum(hyper.get("momentum").asDouble())
                  .nesterov(hyper.get("nesterov").asBoolean())
              : RepOptimizer.adamw(groups)
                  .betas(hyper.get("betas").get(0).asDouble(), hyper.get("betas").get(1).asDouble())
                  .eps(hyper.get("eps").asDouble())
                  .rule(rule);
      optimizer = builder.lr(hyper.get("lr").asDouble()).gradMults(mults).engine(engine).build();
    }

    GradMult gradMult(int b) {
      Tensor weight = tensors.get(BLOCKS.get(b) + ".conv.weight");
      CslaBlock block =
          CslaBlock.of(KernelShape.of((int) weight.size(0), (int) weight.size(1), 3, 3))
              .conv(3, 3, golden.tensor("scale." + b + ".conv"))
              .conv(1, 1, golden.tensor("scale." + b + ".1x1"));
      return (golden.has("scale." + b + ".identity") ? block.identity() : block).gradMult();
    }

    Tensor forward(Tensor x) {
      for (String block : BLOCKS) {
        // Every stage begins with stride 2; the second block of a stage has stride 1.
        long stride = block.endsWith(".1") ? 1 : 2;
        x =
            torch.conv2d(
                x,
                tensors.get(block + ".conv.weight"),
                Tensors.optional(null),
                new long[] {stride, stride},
                new long[] {1, 1},
                new long[] {1, 1},
                1);
        x =
            torch
                .batch_norm(
                    x,
                    Tensors.optional(tensors.get(block + ".bn.weight")),
                    Tensors.optional(tensors.get(block + ".bn.bias")),
                    Tensors.optional(tensors.get(block + ".bn.running_mean")),
                    Tensors.optional(tensors.get(block + ".bn.running_var")),
                    /* training= */ true,
                    0.1,
                    1e-5,
                    false)
                .relu();
      }
      return x.mean(2, 3).matmul(tensors.get("linear.weight").t()).add(tensors.get("linear.bias"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "vgg-tiny-sgd-idscale-train.safetensors",
        "vgg-tiny-sgd-noidscale-train.safetensors",
        "vgg-tiny-adamw-idscale-train.safetensors"
      })
  void gradMultsAreTheOfficialMasksBitForBit(String file) throws JsonProcessingException {
    Job job = new Job(file, Engine.REFERENCE);
    for (int b = 0; b < BLOCKS.size(); b++) {
      String name = BLOCKS.get(b) + ".conv.weight";
      assertBitEqual(
          name,
          job.golden.tensor("mult." + name),
          job.gradMult(b).dense(job.rule, ScalarType.Float, TestDevice.get()));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "vgg-tiny-sgd-idscale-train.safetensors, REFERENCE",
    "vgg-tiny-sgd-idscale-train.safetensors, MULTI_TENSOR",
    "vgg-tiny-sgd-noidscale-train.safetensors, MULTI_TENSOR",
    "vgg-tiny-adamw-idscale-train.safetensors, REFERENCE",
    "vgg-tiny-adamw-idscale-train.safetensors, MULTI_TENSOR"
  })
  void theFirstStepFromTheSameGradientsIsTheOfficial(String file, Engine engine)
      throws JsonProcessingException {
    Job job = new Job(file, engine);
    job.parameters.forEach(
        (name, parameter) -> parameter.mutable_grad().put(job.golden.tensor("grad0." + name)));
    job.optimizer.step();
    job.parameters.forEach(
        (name, parameter) ->
            assertRelative(name, 5e-7, job.golden.tensor("step1." + name), parameter));
  }

  @ParameterizedTest
  @CsvSource({
    "vgg-tiny-sgd-idscale-train.safetensors, REFERENCE",
    "vgg-tiny-sgd-idscale-train.safetensors, MULTI_TENSOR",
    "vgg-tiny-sgd-noidscale-train.safetensors, MULTI_TENSOR",
    "vgg-tiny-adamw-idscale-train.safetensors, REFERENCE",
    "vgg-tiny-adamw-idscale-train.safetensors, MULTI_TENSOR"
  })
  void twelveStepsAreTheOfficialTraining(String file, Engine engine)
      throws JsonProcessingException {
    Job job = new Job(file, engine);
    Tensor inputs = job.golden.tensor("inputs");
    Tensor targets = job.golden.tensor("targets");
    double[] losses = Tensors.toDoubles(job.golden.tensor("losses"));
    assertEquals(12, losses.length);
    // Convolutions that sum in another order, twelve times through ReLUs.
    double lossBound = TestDevice.bound(1e-4, 1e-3);
    double finalBound = TestDevice.bound(1e-3, 0.1);
    for (int t = 0; t < losses.length; t++) {
      try (StepScope scope = StepScope.open()) {
        Tensor loss =
            torch.cross_entropy_loss(job.forward(inputs.select(0, t)), targets.select(0, t));
        job.optimizer.zeroGrad();
        loss.backward();
        job.optimizer.step();
        assertEquals(losses[t], loss.item_float(), lossBound * losses[t], "loss of step " + t);
      }
    }
    job.tensors.forEach(
        (name, tensor) -> {
          if (!name.endsWith("num_batches_tracked")) {
            assertRelative(name, finalBound, job.golden.tensor("final." + name), tensor);
          }
        });
    Map<String, Tensor> state = job.optimizer.state().tensors();
    Map<String, Tensor> official = job.golden.tensors("state.");
    assertEquals(official.size(), state.size());
    official.forEach(
        (name, tensor) -> {
          int dot = name.indexOf('.');
          String ours = name.substring(dot) + "." + name.substring(0, dot);
          assertRelative(name, finalBound, tensor, state.get(ours.substring(1)));
        });
  }
}
