package org.repopt4j.optim;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.TestDevice;

/**
 * A random optimizer with random parameters (blocks, groups, layouts, types) and the gradients of a
 * few steps, some of them undefined; all of it follows from one seed.
 */
final class RandomOptimizer {
  private static final int STEPS = 4;

  private static final class Drawn {
    final double[] start;
    final long[] shape;
    final GradMult mult;
    final boolean channelsLast;
    final int group;

    Drawn(double[] start, long[] shape, GradMult mult, boolean channelsLast, int group) {
      this.start = start;
      this.shape = shape;
      this.mult = mult;
      this.channelsLast = channelsLast;
      this.group = group;
    }
  }

  final ScalarType type;
  final List<Drawn> parameters = new ArrayList<>();
  final List<List<double[]>> grads = new ArrayList<>();
  final boolean gradsChannelsLast;
  final double[] weightDecays;
  final double[] learningRateScales;
  final double[] learningRates = new double[STEPS];
  final UpdateOptions options;

  RandomOptimizer(long seed) {
    Random random = new Random(seed);
    type = random.nextBoolean() ? ScalarType.Double : ScalarType.Float;
    gradsChannelsLast = random.nextBoolean();
    weightDecays = new double[] {random.nextBoolean() ? 0.1 : 0, random.nextBoolean() ? 0.03 : 0};
    learningRateScales = new double[] {1, random.nextBoolean() ? 0.3 : 1};
    int count = 1 + random.nextInt(5);
    for (int i = 0; i < count; i++) {
      boolean last = random.nextBoolean();
      GradMult mult = random.nextInt(4) == 0 ? null : randomMult(random);
      long[] shape =
          mult != null ? mult.shape().tensorShape() : new long[] {1 + random.nextInt(37)};
      parameters.add(new Drawn(values(random, size(shape)), shape, mult, last, random.nextInt(2)));
    }
    for (int t = 0; t < STEPS; t++) {
      List<double[]> ofStep = new ArrayList<>();
      for (Drawn parameter : parameters) {
        ofStep.add(random.nextInt(6) == 0 ? null : values(random, parameter.start.length));
      }
      grads.add(ofStep);
      learningRates[t] = 0.2 * random.nextDouble();
    }
    options = randomOptions(random);
  }

  RepOptimizer optimizer(List<Tensor> parameterTensors, Engine engine) {
    Map<String, Tensor> first = new LinkedHashMap<>();
    Map<String, Tensor> second = new LinkedHashMap<>();
    for (int i = 0; i < parameterTensors.size(); i++) {
      (parameters.get(i).group == 0 ? first : second).put("p" + i, parameterTensors.get(i));
    }
    ParameterGroups groups =
        ParameterGroups.of(
            ParameterGroup.of(first, weightDecays[0]),
            ParameterGroup.of(second, weightDecays[1])
                .withLearningRateScale(learningRateScales[1]));
    RepOptimizerBuilder<?> builder =
        options instanceof SgdOptions sgd
            ? RepOptimizer.sgd(groups)
                .momentum(sgd.momentum())
                .dampening(sgd.dampening())
                .nesterov(sgd.nesterov())
                .maximize(sgd.maximize())
            : adamw(groups, (AdamWOptions) options);
    for (int i = 0; i < parameterTensors.size(); i++) {
      if (parameters.get(i).mult != null) {
        builder.gradMult(parameterTensors.get(i), parameters.get(i).mult);
      }
    }
    return builder.engine(engine).build();
  }

  private static AdamWBuilder adamw(ParameterGroups groups, AdamWOptions o) {
    return RepOptimizer.adamw(groups)
        .betas(o.beta1(), o.beta2())
        .eps(o.eps())
        .amsgrad(o.amsgrad())
        .maximize(o.maximize())
        .rule(o.rule());
  }

  /** The parameters after all steps. */
  List<Tensor> train(Engine engine) {
    List<Tensor> tensors = new ArrayList<>();
    for (Drawn drawn : parameters) {
      Tensor p = tensor(drawn.start, drawn.shape, drawn.channelsLast);
      tensors.add(p.requires_grad_(true));
    }
    RepOptimizer optimizer = optimizer(tensors, engine);
    for (int t = 0; t < STEPS; t++) {
      optimizer.zeroGrad();
      for (int i = 0; i < tensors.size(); i++) {
        double[] grad = grads.get(t).get(i);
        if (grad != null) {
          tensors
              .get(i)
              .mutable_grad()
              .put(tensor(grad, parameters.get(i).shape, gradsChannelsLast));
        }
      }
      optimizer.step(learningRates[t]);
      for (int i = 0; i < tensors.size(); i++) {
        if (grads.get(t).get(i) != null) {
          UpdateEngineTest.assertClose(
              "gradient kept", grads.get(t).get(i), tensors.get(i).grad(), 1e-7);
        }
      }
    }
    return tensors;
  }

  private Tensor tensor(double[] values, long[] shape, boolean channelsLast) {
    Tensor plain = Tensors.of(values, shape).to(TestDevice.get(), type);
    return channelsLast && shape.length == 4 ? plain.contiguous(MemoryFormat.ChannelsLast) : plain;
  }

  List<double[]> trainNaively() {
    List<double[]> trained = new ArrayList<>();
    for (int i = 0; i < parameters.size(); i++) {
      Drawn drawn = parameters.get(i);
      NaiveUpdate naive = new NaiveUpdate(drawn.start, drawn.mult);
      for (int t = 0; t < STEPS; t++) {
        double[] grad = grads.get(t).get(i);
        double lr = learningRates[t] * learningRateScales[drawn.group];
        double wd = weightDecays[drawn.group];
        if (grad != null && options instanceof SgdOptions sgd) {
          naive.sgd(grad, lr, wd, sgd);
        } else if (grad != null) {
          AdamWOptions adamw = (AdamWOptions) options;
          naive.adamW(grad, lr, wd, adamw, adamw.rule() == UpdateRule.ADAMW_OFFICIAL);
        }
      }
      trained.add(naive.p);
    }
    return trained;
  }

  /** The mult of a parameter, or null. */
  GradMult mult(int parameter) {
    return parameters.get(parameter).mult;
  }

  private static UpdateOptions randomOptions(Random random) {
    boolean maximize = random.nextInt(4) == 0;
    if (random.nextInt(5) < 2) {
      double momentum = random.nextBoolean() ? 0.9 : 0;
      boolean nesterov = momentum > 0 && random.nextBoolean();
      double dampening = nesterov || random.nextBoolean() ? 0 : 0.4;
      return new SgdOptions(momentum, dampening, nesterov, maximize);
    }
    UpdateRule rule = random.nextInt(3) == 0 ? UpdateRule.ADAMW_OFFICIAL : UpdateRule.ADAMW_EXACT;
    double[] eps = {1e-8, 1e-3, 0};
    return new AdamWOptions(
        random.nextBoolean() ? 0.9 : 0,
        random.nextBoolean() ? 0.999 : 0.5,
        eps[random.nextInt(3)],
        random.nextBoolean(),
        maximize,
        rule);
  }

  private static GradMult randomMult(Random random) {
    int groups = 1 + random.nextInt(2);
    int channels = groups * (1 + random.nextInt(3)) * 2;
    boolean square = random.nextBoolean();
    int out = square ? channels : groups * (1 + random.nextInt(4));
    int kh = 1 + 2 * random.nextInt(3);
    int kw = 1 + 2 * random.nextInt(3);
    CslaBlock block = CslaBlock.of(KernelShape.of(out, channels, kh, kw).withGroups(groups));
    int branches = 1 + random.nextInt(3);
    for (int b = 0; b < branches; b++) {
      int h = 1 + 2 * random.nextInt(kh / 2 + 1);
      int w = 1 + 2 * random.nextInt(kw / 2 + 1);
      boolean split = square && random.nextInt(3) == 0;
      block = block.conv(h, w, split ? groups * 2 : groups, scales(random, out));
    }
    return (square && random.nextBoolean() ? block.identity() : block).gradMult();
  }

  /** Scales of both signs, now and then exactly 0, away from tiny ones. */
  private static double[] scales(Random random, int count) {
    double[] scales = new double[count];
    for (int o = 0; o < count; o++) {
      double size = random.nextInt(9) == 0 ? 0 : 0.1 + random.nextDouble();
      scales[o] = random.nextBoolean() ? size : -size;
    }
    return scales;
  }

  private static double[] values(Random random, int count) {
    return random.doubles(count, -1, 1).toArray();
  }

  private static int size(long[] shape) {
    int size = 1;
    for (long side : shape) {
      size *= (int) side;
    }
    return size;
  }
}
