package org.repopt4j.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.CudaKernels;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * One step of the CUDA kernels against the same step of {@link ReferenceUpdate} in float64 on a
 * CPU: parameters of every type and layout, with and without a float32 master, and all that rides
 * along.
 */
@Tag("gpu")
class CudaUpdateTest {
  private static final int PIECE = UpdateTable.PIECE;
  private static final double SCALE = 1024;
  private static final double DECAY = 0.75;

  private final Random random = new Random();

  /** A parameter on the device, and what it is to become in float64. */
  private record Pair(ParameterState exact, ParameterState actual) {}

  private GradMult randomMult() {
    int groups = 1 + random.nextInt(2);
    int channels = 2 * groups * (1 + random.nextInt(12));
    boolean square = random.nextBoolean();
    int out = square ? channels : groups * (1 + random.nextInt(30));
    int side = new int[] {1, 3, 3, 5, 7}[random.nextInt(5)];
    CslaBlock block =
        CslaBlock.of(KernelShape.of(out, channels, side, side).withGroups(groups))
            .conv(side, side, random.doubles(out, -2, 2).toArray());
    if (random.nextBoolean()) {
      block = block.conv(1, 1, random.doubles(out, -2, 2).toArray());
    }
    return (square && random.nextBoolean() ? block.identity() : block).gradMult();
  }

  private Tensor floats(long[] shape, double low) {
    int size = 1;
    for (long side : shape) {
      size *= (int) side;
    }
    float[] values = new float[size];
    for (int e = 0; e < size; e++) {
      values[e] = (float) (low + random.nextDouble() * (1 - low));
    }
    return Tensors.of(values, shape);
  }

  /** On the device in this layout; one in three vectors begins beside where it would be aligned. */
  private Tensor there(Tensor tensor, ScalarType type, boolean last, Device device) {
    if (tensor.dim() == 4) {
      Tensor laidOut = last ? tensor.contiguous(MemoryFormat.ChannelsLast) : tensor;
      return laidOut.to(device, type);
    }
    if (random.nextInt(3) > 0) {
      return tensor.to(device, type);
    }
    Tensor wider = Tensors.empty(type, device, tensor.numel() + 1);
    return wider.narrow(0, 1, tensor.numel()).copy_(tensor.to(type));
  }

  private Pair pair(int number, ScalarType type, UpdateOptions options, Device device) {
    Optional<GradMult> mult = random.nextInt(4) == 0 ? Optional.empty() : Optional.of(randomMult());
    int[] sizes = {0, 1, 7, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 1};
    long[] shape =
        mult.map(m -> m.shape().tensorShape())
            .orElseGet(() -> new long[] {sizes[random.nextInt(sizes.length)]});
    boolean last = random.nextBoolean();
    String name = "p" + number;
    Tensor start = floats(shape, -1);
    // What the low-precision types can hold, so that both sides begin with the same gradient.
    Tensor gradient =
        floats(shape, -1).to(ScalarType.Half).to(ScalarType.BFloat16).to(ScalarType.Float);
    Map<String, Tensor> values = new LinkedHashMap<>();
    for (String buffer : options.buffers()) {
      boolean square = !buffer.equals("exp_avg") && !buffer.equals("momentum_buffer");
      Tensor value = floats(shape, square ? 0 : -1);
      values.put(
          buffer, last && mult.isPresent() ? value.contiguous(MemoryFormat.ChannelsLast) : value);
    }
    double decay = random.nextBoolean() ? 0.1 : 0;
    Tensor wide = start.to(ScalarType.Double).requires_grad_(true);
    wide.mutable_grad().put(gradient.to(ScalarType.Double));
    Tensor parameter = there(start, type, last, device).requires_grad_(true);
    parameter.mutable_grad().put(there(gradient, type, last, device));
    ParameterState exact = state(name, wide, mult, decay);
    ParameterState actual = state(name, parameter, mult, decay);
    if (random.nextBoolean()) {
      Map<String, Tensor> doubles = new LinkedHashMap<>();
      values.forEach((buffer, value) -> doubles.put(buffer, value.to(ScalarType.Double)));
      exact.restore(doubles, 3);
      actual.restore(values, 3);
    }
    if (actual.hasMaster()) {
      Tensor laidOut =
          last && mult.isPresent() ? start.contiguous(MemoryFormat.ChannelsLast) : start;
      actual.updated().copy_(laidOut);
    }
    return new Pair(exact, actual);
  }

  private static ParameterState state(
      String name, Tensor parameter, Optional<GradMult> mult, double decay) {
    ParameterGroup group = ParameterGroup.of(Map.of(name, parameter), decay);
    return new ParameterState(name, parameter, group, mult, /* masters= */ true);
  }

  @Property(tries = 200)
  void isTheFloat64StepRoundedOnce(@ForAll long seed) {
    ComputeDevice cuda = ComputeDevice.of("cuda");
    assertTrue(CudaKernels.of(0).isPresent(), () -> CudaKernels.reason(0));
    random.setSeed(seed);
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      ScalarType[] types = {
        ScalarType.Float, ScalarType.Double, ScalarType.BFloat16, ScalarType.Half
      };
      ScalarType type = types[random.nextInt(types.length)];
      UpdateOptions options = FusedUpdateTest.randomOptions(random);
      double rate = 0.2 * random.nextDouble();
      boolean rides = random.nextBoolean();
      List<ParameterState> exact = new ArrayList<>();
      List<ParameterState> actual = new ArrayList<>();
      Map<String, Tensor> exactAverages = new LinkedHashMap<>();
      Map<String, Tensor> averages = new LinkedHashMap<>();
      int count = 1 + random.nextInt(4);
      for (int p = 0; p < count; p++) {
        Pair pair = pair(p, type, options, cuda.device());
        exact.add(pair.exact);
        actual.add(pair.actual);
        Tensor average = floats(Tensors.shape(pair.exact.parameter()), -1);
        exactAverages.put("p" + p, average.to(ScalarType.Double));
        averages.put("p" + p, average.to(cuda.device(), Tensors.type(pair.actual.updated())));
      }
      StepExtras extras = StepExtras.NONE.gradientScale(SCALE);
      options.update(
          new ReferenceUpdate(),
          exact,
          rate,
          rides ? extras.averaging(exactAverages, DECAY) : extras);
      options.update(
          new FusedUpdate(Optional.empty()),
          actual,
          rate,
          rides ? extras.averaging(averages, DECAY).zeroingGradients() : extras);
      for (int p = 0; p < count; p++) {
        String what = type + " " + options + " " + exact.get(p).gradMult();
        assertStep(what, options, exact.get(p), actual.get(p));
        if (rides) {
          assertNear(what + " average", exactAverages.get("p" + p), averages.get("p" + p));
          for (double left : Tensors.toDoubles(actual.get(p).parameter().grad())) {
            assertEquals(0, left, what + " cleared gradient");
          }
        }
      }
    }
  }

  private static void assertStep(
      String what, UpdateOptions options, ParameterState exact, ParameterState actual) {
    assertWithin(what, exact.parameter(), actual.updated());
    for (String buffer : options.buffers()) {
      assertWithin(what + " " + buffer, exact.buffer(buffer), actual.buffer(buffer));
    }
    if (actual.hasMaster()) {
      Tensor master = actual.updated().to(Tensors.cpu(), ScalarType.Float);
      Tensor rounded = master.to(Tensors.type(actual.parameter()));
      assertBitEqual(what + " of the master", rounded, actual.parameter());
    }
  }

  /** At most 2 ulp of float32 from the exact result, whatever cancels; of float64 some more. */
  private static void assertWithin(String what, Tensor exact, Tensor actual) {
    double[] expected = Tensors.toDoubles(exact);
    double[] values = Tensors.toDoubles(actual);
    boolean wide = Tensors.type(actual) == ScalarType.Double;
    assertEquals(expected.length, values.length, what);
    for (int e = 0; e < values.length; e++) {
      double bound = wide ? 1e-12 : 2 * Math.ulp((float) expected[e]);
      int at = e;
      assertTrue(
          Math.abs(values[e] - expected[e]) <= bound,
          () -> what + " " + at + ": " + values[at] + ", expected " + expected[at]);
    }
  }

  private static void assertNear(String what, Tensor exact, Tensor actual) {
    double[] expected = Tensors.toDoubles(exact);
    double[] values = Tensors.toDoubles(actual);
    for (int e = 0; e < values.length; e++) {
      assertEquals(expected[e], values[e], 1e-6, what);
    }
  }
}
