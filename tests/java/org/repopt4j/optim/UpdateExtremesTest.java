package org.repopt4j.optim;

import static org.junit.jupiter.api.Assertions.assertTrue;
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
 * Numbers for which the vectors' roots and quotients are no plain series: 0, infinity, what is not
 * a number, denormal and huge ones. Every set of instructions makes of them what the processor's
 * own root and division make of one element after another.
 */
class UpdateExtremesTest {
  private static final float[] EXTREMES = {
    0, Float.POSITIVE_INFINITY, Float.NaN, Float.MIN_VALUE, 1e-40f, 1e-30f, 1e-8f, 1e20f, 3e38f
  };

  @Property(tries = 300)
  void extremesAreWhatRootAndDivisionMakeOfThem(@ForAll long seed) {
    assumeTrue(UpdateKernels.instructions().isPresent(), UpdateKernels.reason());
    try (StepScope scope = StepScope.open()) {
      UpdateRule rule = List.of(UpdateRule.values()).get(new Random(seed).nextInt(3));
      int number = KernelTarget.number(rule);
      List<Tensor> expected = new ArrayList<>();
      UpdateTable elements = table(seed, rule, expected);
      UpdateKernels.updateElementwise(number, elements.fields(), elements.rows());
      for (Instructions instructions : Instructions.values()) {
        if (instructions.compareTo(UpdateKernels.best()) <= 0) {
          List<Tensor> actual = new ArrayList<>();
          UpdateTable loops = table(seed, rule, actual);
          UpdateKernels.update(number, loops.fields(), loops.rows(), 1, instructions);
          for (int t = 0; t < expected.size(); t++) {
            assertAlike(instructions + " " + rule + " tensor " + t, expected.get(t), actual.get(t));
          }
        }
      }
    }
  }

  private static void assertAlike(String what, Tensor expected, Tensor actual) {
    float[] wanted = Tensors.toFloats(expected);
    float[] got = Tensors.toFloats(actual);
    for (int e = 0; e < wanted.length; e++) {
      int at = e;
      boolean same = Float.compare(wanted[e], got[e]) == 0 || wanted[e] == got[e];
      assertTrue(
          same || Math.abs(wanted[e] - got[e]) <= Math.max(Math.ulp(wanted[e]), 1e-12),
          () -> what + " " + at + ": " + got[at] + " and not " + wanted[at]);
    }
  }

  private static UpdateTable table(long seed, UpdateRule rule, List<Tensor> changed) {
    Random random = new Random(seed);
    GradMult mult = randomMult(random);
    long[] shape = mult.shape().tensorShape();
    boolean last = random.nextBoolean();
    Tensor parameter = values(random, shape, last, 1).requires_grad_(true);
    parameter.mutable_grad().put(values(random, shape, last, 0.1));
    ParameterGroup group = ParameterGroup.of(Map.of("p", parameter), 0);
    ParameterState state = new ParameterState("p", parameter, group, Optional.of(mult), false);
    boolean sgd = rule == UpdateRule.SGD;
    String[] buffers = {"a", sgd ? null : "b", sgd || random.nextBoolean() ? null : "c"};
    changed.add(parameter);
    for (String buffer : buffers) {
      if (buffer != null) {
        boolean signed = buffer.equals("a");
        Tensor start = values(random, shape, false, 0.1);
        state.begun(buffer).copy_(signed ? start : start.abs());
        changed.add(state.buffer(buffer));
      }
    }
    UpdateTable table = new UpdateTable();
    table.begin(rule, 1, StepExtras.NONE);
    table.row(state, buffers[0], buffers[1], buffers[2]);
    double eps = new double[] {0, 1e-8, 1e-3}[random.nextInt(3)];
    table.numbers(0.5, 0.9, 0.8, 0.2, 0.99, 0.01, 0.1, 1.5, sgd ? 0 : eps);
    return table;
  }

  /** Of both signs; so large a part of them is extreme, of one kind for half of the tensors. */
  private static Tensor values(Random random, long[] shape, boolean channelsLast, double extremes) {
    float[] values = new float[(int) (shape[0] * shape[1] * shape[2] * shape[3])];
    boolean allZero = random.nextInt(4) == 0;
    for (int e = 0; e < values.length; e++) {
      float value = random.nextFloat() * 2 - 1;
      if (extremes < 1 && random.nextDouble() < extremes) {
        value = (random.nextBoolean() ? 1 : -1) * EXTREMES[random.nextInt(EXTREMES.length)];
      }
      values[e] = extremes < 1 && allZero ? 0 : value;
    }
    Tensor plain = Tensors.of(values, shape);
    return channelsLast ? plain.contiguous(MemoryFormat.ChannelsLast) : plain;
  }

  /** One to six branches, with scales that are 0, tiny, huge and of opposite signs. */
  private static GradMult randomMult(Random random) {
    double[] sizes = {0, 1e-30, 1e-3, 0.5, 1, 3, 1e12};
    int channels = 1 + random.nextInt(12);
    CslaBlock block = CslaBlock.of(KernelShape.of(channels, channels, 3, 3));
    int branches = 1 + random.nextInt(6);
    for (int b = 0; b < branches; b++) {
      double[] scales = new double[channels];
      for (int o = 0; o < channels; o++) {
        scales[o] = (random.nextBoolean() ? 1 : -1) * sizes[random.nextInt(sizes.length)];
      }
      boolean whole = b == 0 && random.nextBoolean();
      int h = whole || random.nextBoolean() ? 3 : 1;
      int w = whole || random.nextBoolean() ? 3 : 1;
      block = block.conv(h, w, scales);
    }
    return block.gradMult();
  }
}
