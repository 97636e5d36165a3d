package org.repopt4j.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

class LayerTest {
  /** Registered in an order in which libtorch's own listing and Python's state dict differ. */
  private static final class Sample extends Layer {
    private final Linear last;

    Sample() {
      super("Sample");
      buffer("steps", Tensors.zeros(ScalarType.Long, Tensors.cpu()));
      child("norm", new BatchNorm2d(2));
      parameter("b", Tensors.ones(ScalarType.Float, Tensors.cpu(), 2));
      parameter("a", Tensors.ones(ScalarType.Float, Tensors.cpu(), 3), false);
      last = child("last", new Linear(2, 3));
    }

    @Override
    public Tensor forward(Tensor input) {
      return last.forward(input);
    }
  }

  @Test
  void namesComeInPythonsOrder() {
    Sample sample = new Sample();
    assertEquals(
        ImmutableList.of(
            "b",
            "a",
            "steps",
            "norm.weight",
            "norm.bias",
            "norm.running_mean",
            "norm.running_var",
            "norm.num_batches_tracked",
            "last.weight",
            "last.bias"),
        ImmutableList.copyOf(sample.stateDict().keySet()));
    assertEquals(
        ImmutableList.of("b", "a", "norm.weight", "norm.bias", "last.weight", "last.bias"),
        ImmutableList.copyOf(sample.namedParameters().keySet()));
    assertEquals(
        ImmutableList.of("", "norm", "last"), ImmutableList.copyOf(sample.namedLayers().keySet()));
    assertEquals(2 + 3 + 4 + 6 + 3, sample.parameterCount());
  }

  @Test
  void libtorchKnowsTheSameTensorsAsJava() {
    Sample sample = new Sample();
    TensorVector native0 = sample.parameters();
    long[] natives = new long[(int) native0.size()];
    for (int i = 0; i < natives.length; i++) {
      natives[i] = Tensors.identity(native0.get(i));
    }
    assertArrayEquals(
        sample.namedParameters().values().stream().mapToLong(Tensors::identity).toArray(), natives);
    assertFalse(sample.stateDict().get("a").requires_grad());
    assertTrue(sample.stateDict().get("b").requires_grad());

    sample.to(ScalarType.Double, false);
    assertEquals(ScalarType.Double, sample.stateDict().get("last.weight").scalar_type().intern());
    assertEquals(
        ScalarType.Double,
        sample
            .forward(Tensors.ones(ScalarType.Double, Tensors.cpu(), 1, 2))
            .scalar_type()
            .intern());
  }

  @Test
  void trainAndEvalReachTheChildren() {
    Sample sample = new Sample();
    sample.eval();
    assertFalse(sample.namedLayers().get("norm").is_training());
    sample.train(true);
    assertTrue(sample.namedLayers().get("norm").is_training());
  }

  @Test
  void aLayerOutlivesTheScopeItWasMadeIn() {
    Network network;
    try (StepScope scope = StepScope.open()) {
      network = GoldenVgg.TINY.withPostSe().hs(10);
    }
    network.eval();
    assertArrayEquals(
        new long[] {1, 10}, Tensors.shape(network.forward(OfficialForward.images(1, 32))));
  }

  @Test
  void closingFreesLayerAndTensors() {
    Network network = GoldenVgg.TINY.target(10);
    Tensor weight = network.stateDict().get("stage0.conv.weight");
    network.close();
    assertTrue(weight.isNull() && network.isNull());
  }

  @Test
  void strictLoadingListsAllThatDoesNotFitAndCopiesNothing() {
    Sample sample = new Sample();
    Map<String, Tensor> state = misfit(sample);
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> sample.loadStateDict(state, true));
    assertEquals(
        "the state dict does not fit: missing [steps, norm.bias]; unexpected [extra, more];"
            + " of another shape [b (needs [2], got [3]), last.bias (needs [3], got [1, 3])]",
        refused.getMessage());
    assertEquals(1f, Tensors.toFloats(sample.stateDict().get("a"))[0]);
  }

  @Test
  void looseLoadingCopiesWhatFitsAndReportsTheRest() {
    Sample sample = new Sample();
    LoadReport report = sample.loadStateDict(misfit(sample), false);
    assertEquals(ImmutableList.of("steps", "norm.bias"), report.missing());
    assertEquals(ImmutableList.of("extra", "more"), report.unexpected());
    assertEquals(2, report.misshapen().size());
    assertEquals(7f, Tensors.toFloats(sample.stateDict().get("a"))[0]);
    assertTrue(sample.stateDict().get("b").requires_grad());
  }

  @Test
  void aSummaryCountsAllAndNamesThree() {
    Sample sample = new Sample();
    Map<String, Tensor> state = misfit(sample);
    assertEquals(
        "missing 2: steps, norm.bias; unexpected 2: extra, more;"
            + " of another shape 2: b (needs [2], got [3]), last.bias (needs [3], got [1, 3])",
        sample.loadStateDict(state, false).summary());
    for (int i = 0; i < 300; i++) {
      state.put("more." + i, Tensors.of(new float[1], 1));
    }
    String many = sample.loadStateDict(state, false).summary();
    assertTrue(many.contains("; unexpected 302: extra, more, more.0, ...; of another"), many);
    assertEquals("complete", sample.loadStateDict(sample.stateDict(), true).summary());
  }

  private static Map<String, Tensor> misfit(Sample sample) {
    Map<String, Tensor> state = new LinkedHashMap<>();
    try (NoGrad noGrad = NoGrad.open()) {
      sample.stateDict().forEach((name, tensor) -> state.put(name, tensor.clone()));
      state.get("a").fill_(new Scalar(7));
    }
    state.remove("steps");
    state.remove("norm.bias");
    state.put("b", Tensors.of(new float[3], 3));
    state.put("last.bias", Tensors.of(new float[3], 1, 3));
    state.put("extra", Tensors.of(new float[1], 1));
    state.put("more", Tensors.of(new float[1], 1));
    return state;
  }

  @Test
  void aCompleteStateLoads() {
    Sample from = new Sample();
    Sample into = new Sample();
    assertTrue(into.loadStateDict(from.stateDict(), true).isComplete());
    assertArrayEquals(
        Tensors.toFloats(from.stateDict().get("last.weight")),
        Tensors.toFloats(into.stateDict().get("last.weight")));
  }

  @Test
  void aNameCanBeTakenOnce() {
    Sequential layers = new Sequential();
    layers.append(new Conv2d(KernelShape.of(1, 1, 1, 1), true));
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> layers.child("0", new BatchNorm2d(1)));
    assertEquals("the layer has a member named '0' already", refused.getMessage());
  }
}
