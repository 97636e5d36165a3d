package org.repopt4j.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.runtime.UpdateKernels;
import org.repopt4j.runtime.UpdateKernels.Instructions;

/**
 * One step of the fused update from a float32 state against the same step of {@link
 * ReferenceUpdate} in float64: parameters and buffers, strictly in ulps of the result, so
 * cancellation counts.
 */
class FusedUpdateTest {
  private static final int PIECE = 1024;

  private final Random random = new Random();
  private UpdateOptions options;
  private double rate;

  private static long[] shapeOf(Optional<GradMult> mult, Random random) {
    int[] sizes = {0, 1, 7, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE - 1, 3 * PIECE + 1};
    return mult.map(m -> m.shape().tensorShape())
        .orElseGet(() -> new long[] {sizes[random.nextInt(sizes.length)]});
  }

  private GradMult randomMult() {
    int groups = 1 + random.nextInt(2);
    boolean deep = random.nextInt(4) == 0;
    int[] sides = {1, 3, 3, 3, 5, 7};
    int kh = deep ? 9 : sides[random.nextInt(sides.length)];
    int kw = deep ? 31 : sides[random.nextInt(sides.length)];
    int channels = 2 * groups * (1 + random.nextInt(20));
    boolean square = deep || random.nextBoolean();
    int out = square ? channels : groups * (1 + random.nextInt(37));
    CslaBlock block =
        CslaBlock.of(KernelShape.of(out, channels, kh, kw).withGroups(deep ? channels : groups));
    int split = deep ? channels : square && random.nextBoolean() ? 2 * groups : groups;
    int branches = 1 + random.nextInt(3);
    for (int b = 0; b < branches; b++) {
      boolean whole = b == 0 && random.nextBoolean();
      int h = whole ? kh : 1 + 2 * random.nextInt(kh / 2 + 1);
      int w = whole ? kw : 1 + 2 * random.nextInt(kw / 2 + 1);
      double[] scales = random.doubles(out, -2, 2).toArray();
      scales[random.nextInt(out)] = 0;
      block = block.conv(h, w, whole || deep ? block.shape().groups() : split, scales);
    }
    return (square && random.nextBoolean() ? block.identity() : block).gradMult();
  }

  private Tensor floats(long[] shape, double low, double high) {
    int size = 1;
    for (long side : shape) {
      size *= (int) side;
    }
    float[] values = new float[size];
    for (int e = 0; e < size; e++) {
      values[e] = (float) (low + random.nextDouble() * (high - low));
    }
    return Tensors.of(values, shape);
  }

  private Tensor laidOut(Tensor tensor, boolean last) {
    return last && tensor.dim() == 4 ? tensor.contiguous(MemoryFormat.ChannelsLast) : tensor;
  }

  private ParameterState state(Tensor values, Tensor grad, Optional<GradMult> mult, double decay) {
    Tensor parameter = values.requires_grad_(true);
    parameter.mutable_grad().put(grad);
    ParameterGroup group = ParameterGroup.of(Map.of("p", parameter), decay);
    return new ParameterState("p", parameter, group, mult, false);
  }

  private static void assertWithin(String what, Tensor exact, Tensor actual, double[] worst) {
    double[] expected = Tensors.toDoubles(exact);
    float[] values = Tensors.toFloats(actual);
    for (int e = 0; e < values.length; e++) {
      double ulps = Math.abs(values[e] - expected[e]) / Math.ulp((float) expected[e]);
      worst[0] = Math.max(worst[0], ulps);
      int at = e;
      assertTrue(
          ulps <= 1 || Double.compare(values[e], expected[e]) == 0,
          () -> what + " " + at + ": " + values[at] + " is " + ulps + " ulp from " + expected[at]);
    }
  }

  @Property(tries = 150)
  void isTheFloat64StepRoundedOnce(@ForAll long seed) {
    assumeTrue(UpdateKernels.instructions().isPresent(), UpdateKernels.reason());
    random.setSeed(seed);
    double[] worst = new double[1];
    int threads = Natives.threads();
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      options = randomOptions(random);
      rate = 0.2 * random.nextDouble();
      boolean later = random.nextBoolean();
      List<ParameterState> exact = new ArrayList<>();
      Map<Instructions, List<ParameterState>> fused = new LinkedHashMap<>();
      int count = 1 + random.nextInt(4);
      for (int p = 0; p < count; p++) {
        Optional<GradMult> mult =
            random.nextInt(4) == 0 ? Optional.empty() : Optional.of(randomMult());
        long[] shape = shapeOf(mult, random);
        Tensor start = floats(shape, -1, 1);
        Tensor grad = floats(shape, -1, 1);
        Map<String, Tensor> buffers = new LinkedHashMap<>();
        for (String buffer : options.buffers()) {
          boolean square = !buffer.equals("exp_avg") && !buffer.equals("momentum_buffer");
          buffers.put(buffer, floats(shape, square ? 0 : -1, 1));
        }
        double decay = random.nextBoolean() ? 0.1 : 0;
        boolean last = random.nextBoolean();
        boolean gradLast = random.nextBoolean();
        exact.add(
            with(
                state(start.to(ScalarType.Double), grad.to(ScalarType.Double), mult, decay),
                later,
                buffers));
        for (Instructions instructions : Instructions.values()) {
          if (instructions.compareTo(UpdateKernels.best()) <= 0) {
            Tensor copy = laidOut(start.clone(), last);
            fused
                .computeIfAbsent(instructions, any -> new ArrayList<>())
                .add(with(state(copy, laidOut(grad, gradLast), mult, decay), later, buffers));
          }
        }
      }
      options.update(new ReferenceUpdate(), exact, rate, StepExtras.NONE);
      for (Map.Entry<Instructions, List<ParameterState>> one : fused.entrySet()) {
        Natives.threads(1 + random.nextInt(2));
        FusedUpdate update = new FusedUpdate(Optional.of(one.getKey()));
        options.update(update, one.getValue(), rate, StepExtras.NONE);
        for (int p = 0; p < exact.size(); p++) {
          String what = one.getKey() + " " + options + " " + exact.get(p).gradMult();
          ParameterState actual = one.getValue().get(p);
          assertWithin(what, exact.get(p).parameter(), actual.parameter(), worst);
          for (String buffer : options.buffers()) {
            assertWithin(
                what + " " + buffer, exact.get(p).buffer(buffer), actual.buffer(buffer), worst);
          }
        }
      }
    } finally {
      Natives.threads(threads);
    }
  }

  private static ParameterState with(
      ParameterState state, boolean later, Map<String, Tensor> buffers) {
    if (later) {
      Map<String, Tensor> values = new LinkedHashMap<>();
      buffers.forEach((name, value) -> values.put(name, value.to(Tensors.type(state.parameter()))));
      state.restore(values, 3);
    }
    return state;
  }

  /** Of any rule. */
  static UpdateOptions randomOptions(Random random) {
    boolean maximize = random.nextInt(4) == 0;
    if (random.nextInt(3) == 0) {
      double momentum = random.nextInt(4) == 0 ? 0 : 0.9;
      boolean nesterov = momentum > 0 && random.nextBoolean();
      return new SgdOptions(momentum, nesterov ? 0 : 0.4, nesterov, maximize);
    }
    UpdateRule rule = random.nextBoolean() ? UpdateRule.ADAMW_OFFICIAL : UpdateRule.ADAMW_EXACT;
    double eps = random.nextBoolean() ? 1e-8 : 1e-3;
    return new AdamWOptions(0.9, 0.999, eps, random.nextBoolean(), maximize, rule);
  }

  @Test
  void autogradSeesThatAParameterHasChanged() {
    try (StepScope scope = StepScope.open()) {
      Tensor p = Tensors.of(new float[] {1, 2, 3}, 3).requires_grad_(true);
      RepOptimizer sgd = RepOptimizer.sgd(Map.of("p", p)).momentum(0.9).build();
      Tensor product = p.mul(p).sum();
      p.mutable_grad().put(Tensors.of(new float[] {1, 1, 1}, 3));
      long version = p._version();
      sgd.step(0.1);
      assertTrue(p._version() > version);
      RuntimeException stale = assertThrows(RuntimeException.class, product::backward);
      assertTrue(stale.getMessage().contains("modified by an inplace operation"));
    }
  }

  /** The kernels do not take a view with gaps, nor a low-precision parameter without a master. */
  @Test
  void whatTheKernelsDoNotTakeIsUpdatedAllTheSame() {
    try (StepScope scope = StepScope.open()) {
      Tensor wide = Tensors.of(new float[] {1, 9, 2, 9, 3, 9}, 3, 2);
      Tensor view = wide.select(1, 0).requires_grad_(true);
      Tensor low = Tensors.of(new float[] {4}, 1).to(ScalarType.BFloat16).requires_grad_(true);
      Map<String, Tensor> named = new LinkedHashMap<>();
      named.put("view", view);
      named.put("low", low);
      RepOptimizer sgd = RepOptimizer.sgd(named).build();
      view.mutable_grad().put(Tensors.of(new float[] {1, 1, 1}, 3));
      low.mutable_grad().put(Tensors.of(new float[] {2}, 1).to(ScalarType.BFloat16));
      sgd.step(0.5);
      assertEquals(
          "[0.5, 9.0, 1.5, 9.0, 2.5, 9.0]", java.util.Arrays.toString(Tensors.toFloats(wide)));
      assertEquals(3f, Tensors.toFloats(low)[0]);
    }
  }
}
