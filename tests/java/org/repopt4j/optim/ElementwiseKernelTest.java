package org.repopt4j.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.runtime.UpdateKernels;
import org.repopt4j.runtime.UpdateKernels.Instructions;

/**
 * The functions that the CUDA kernels are made of, run on the CPU, against the CPU's own loops,
 * which find an element's branches in another way.
 */
class ElementwiseKernelTest {
  @Property(tries = 200)
  void anElementByItselfIsWhatTheLoopsMakeOfIt(@ForAll long seed) {
    assumeTrue(UpdateKernels.instructions().isPresent(), UpdateKernels.reason());
    try (StepScope scope = StepScope.open()) {
      UpdateRule rule = List.of(UpdateRule.values()).get(new Random(seed).nextInt(3));
      List<Tensor> one = new ArrayList<>();
      List<Tensor> other = new ArrayList<>();
      UpdateTable loops = table(seed, rule, one);
      UpdateTable elements = table(seed, rule, other);
      int number = KernelTarget.number(rule);
      UpdateKernels.update(number, loops.fields(), loops.rows(), 1, Instructions.BASELINE);
      UpdateKernels.updateElementwise(number, elements.fields(), elements.rows());
      for (int t = 0; t < one.size(); t++) {
        // Sums over branches may be rounded apart in float64, so by at most one ulp of float32.
        assertArrayEquals(
            Tensors.toFloats(one.get(t)), Tensors.toFloats(other.get(t)), 2e-7f, "tensor " + t);
      }
    }
  }

  private static UpdateTable table(long seed, UpdateRule rule, List<Tensor> changed) {
    Random random = new Random(seed);
    UpdateTable table = new UpdateTable();
    int count = 1 + random.nextInt(3);
    table.begin(rule, count, StepExtras.NONE);
    for (int r = 0; r < count; r++) {
      Optional<GradMult> mult =
          random.nextInt(4) == 0 ? Optional.empty() : Optional.of(randomMult(random));
      long[] shape =
          mult.map(m -> m.shape().tensorShape()).orElse(new long[] {1 + random.nextInt(50)});
      boolean last = random.nextBoolean();
      Tensor parameter = values(random, shape, last).requires_grad_(true);
      parameter.mutable_grad().put(values(random, shape, last));
      ParameterGroup group = ParameterGroup.of(Map.of("p", parameter), 0.1);
      ParameterState state = new ParameterState("p", parameter, group, mult, false);
      boolean sgd = rule == UpdateRule.SGD;
      boolean third = !sgd && random.nextBoolean();
      String[] buffers = {
        random.nextBoolean() || !sgd ? "a" : null, sgd ? null : "b", third ? "c" : null
      };
      changed.add(parameter);
      for (String buffer : buffers) {
        if (buffer != null) {
          state.begun(buffer).copy_(values(random, shape, false).abs());
          changed.add(state.buffer(buffer));
        }
      }
      table.row(state, buffers[0], buffers[1], buffers[2]);
      table.numbers(0.5, 0.9, 0.8, 0.2, 0.99, 0.01, 0.1, 1.5, 1e-3);
    }
    return table;
  }

  private static Tensor values(Random random, long[] shape, boolean channelsLast) {
    int size = 1;
    for (long side : shape) {
      size *= (int) side;
    }
    float[] values = new float[size];
    for (int e = 0; e < size; e++) {
      values[e] = random.nextFloat() * 2 - 1;
    }
    Tensor plain = Tensors.of(values, shape);
    return channelsLast && shape.length == 4 ? plain.contiguous(MemoryFormat.ChannelsLast) : plain;
  }

  private static GradMult randomMult(Random random) {
    int groups = 1 + random.nextInt(3);
    int channels = 2 * groups * (1 + random.nextInt(4));
    boolean square = random.nextBoolean();
    int out = square ? channels : groups * (1 + random.nextInt(5));
    int kh = 1 + 2 * random.nextInt(3);
    int kw = 1 + 2 * random.nextInt(4);
    CslaBlock block = CslaBlock.of(KernelShape.of(out, channels, kh, kw).withGroups(groups));
    int branches = 1 + random.nextInt(3);
    for (int b = 0; b < branches; b++) {
      int h = 1 + 2 * random.nextInt(kh / 2 + 1);
      int w = 1 + 2 * random.nextInt(kw / 2 + 1);
      double[] scales = random.doubles(out, -1, 1).toArray();
      scales[random.nextInt(out)] = 0;
      block = block.conv(h, w, square && random.nextBoolean() ? 2 * groups : groups, scales);
    }
    return (square && random.nextBoolean() ? block.identity() : block).gradMult();
  }
}
