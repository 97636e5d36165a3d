package org.repopt4j.bench.jmh;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.optim.Engine;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * An optimizer's step over ten small kernels, where the calls and not the numbers take the time.
 */
@State(Scope.Thread)
@BenchmarkMode(org.openjdk.jmh.annotations.Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class SmallUpdate {
  private static final int KERNELS = 10;
  private static final int CHANNELS = 8;

  @Param public Engine engine;
  @Param public UpdateRule rule;

  private RepOptimizer optimizer;

  @Setup
  public void setUp() {
    Natives.load();
    Natives.threads(1);
    Random random = new Random(0);
    List<Tensor> kernels = new ArrayList<>();
    GradMults mults = GradMults.none();
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      for (int i = 0; i < KERNELS; i++) {
        Tensor kernel =
            Retained.retain(
                Tensors.zeros(ScalarType.Float, Tensors.cpu(), CHANNELS, CHANNELS, 3, 3));
        kernel.normal_();
        kernel.requires_grad_(true);
        kernel.mutable_grad().put(torch.randn_like(kernel).mul_(new Scalar(1e-3)));
        CslaBlock block =
            CslaBlock.of(KernelShape.of(CHANNELS, CHANNELS, 3, 3))
                .conv(3, 3, random.doubles(CHANNELS, -1, 1).toArray())
                .conv(1, 1, random.doubles(CHANNELS, -1, 1).toArray())
                .identity();
        mults = mults.and(kernel, block.gradMult());
        kernels.add(kernel);
      }
    }
    optimizer =
        rule == UpdateRule.SGD
            ? RepOptimizer.sgd(kernels)
                .momentum(0.9)
                .nesterov(true)
                .gradMults(mults)
                .engine(engine)
                .build()
            : RepOptimizer.adamw(kernels).rule(rule).gradMults(mults).engine(engine).build();
  }

  @Benchmark
  public void step() {
    optimizer.step(1e-6);
  }
}
