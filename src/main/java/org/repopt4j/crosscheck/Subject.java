package org.repopt4j.crosscheck;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.GradMults;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/** A network of a random case, whatever it is made of. */
interface Subject extends AutoCloseable {
  /** The network of a case in this mode, with initial values from the seed that is set. */
  static Subject of(JsonNode json, String mode) {
    return json.get("kind").asText().equals("vgg")
        ? new VggSubject(json, mode)
        : new GhostSubject(json, mode);
  }

  /** {@code [n, classes]}. */
  Tensor logits(Tensor images);

  /** The live parameters and buffers in the official order. */
  Map<String, Tensor> state();

  /** The live parameters in the official order. */
  Map<String, Tensor> parameters();

  /** Whether batch statistics are used. */
  void training(boolean on);

  /** Turns all weights into float64. */
  void toDouble();

  /** The rule of iteration with the scales in this hs state. */
  GradMults gradMults(Map<String, Tensor> searched);

  /** The rule of initialization with the scales in this hs state. */
  void reinitialize(Map<String, Tensor> searched, boolean useIdentityScales);

  @Override
  void close();

  /** The parameters that are trained. */
  default Map<String, Tensor> trainable() {
    Map<String, Tensor> trainable = new LinkedHashMap<>(parameters());
    trainable.values().removeIf(tensor -> !tensor.requires_grad());
    return trainable;
  }

  /** The state but for counters. */
  default List<Tensor> floating() {
    // A network that is turned into float64 has its counters turned, too.
    return state().entrySet().stream()
        .filter(entry -> !entry.getKey().endsWith("num_batches_tracked"))
        .map(Map.Entry::getValue)
        .toList();
  }

  /** Gives every weight and buffer the value that the official side draws for it. */
  default void fill(Draws draws, String mode) {
    boolean scaled = mode.equals("hs") || mode.equals("csla");
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      state()
          .forEach(
              (name, tensor) -> {
                if (!name.endsWith("num_batches_tracked")) {
                  tensor.copy_(drawn(draws, mode, name, scaled, Tensors.shape(tensor)));
                }
              });
    }
  }

  private static Tensor drawn(Draws draws, String mode, String name, boolean scaled, long[] shape) {
    String key = mode + ":" + name;
    if (name.matches("(.*\\.)?(scale_\\w+|fusion_scale)\\.weight")
        || (scaled && name.endsWith("cheap_operation.1.weight"))) {
      return draws.scales(key, shape);
    }
    if (shape.length > 1) {
      long fanIn = 1;
      for (int i = 1; i < shape.length; i++) {
        fanIn *= shape[i];
      }
      double bound = 1.5 / Math.sqrt((double) fanIn);
      return draws.between(key, -bound, bound, shape);
    }
    return name.endsWith("running_var") || name.endsWith("weight")
        ? draws.between(key, 0.5, 1.5, shape)
        : draws.between(key, -0.3, 0.3, shape);
  }
}
