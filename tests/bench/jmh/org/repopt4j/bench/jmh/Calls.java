package org.repopt4j.bench.jmh;

import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.Operators;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * What one call of libtorch costs from Java, on a tensor of one element, where the call is all
 * there is.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Calls {
  private Tensor tensor;
  private Scalar one;
  private IValue boxedTensor;
  private IValue boxedOne;
  private NoGrad noGrad;

  @Setup
  public void setUp() {
    Natives.load();
    Natives.threads(1);
    noGrad = NoGrad.open();
    tensor = Retained.retain(Tensors.ones(ScalarType.Float, Tensors.cpu(), 1));
    one = Retained.retain(new Scalar(1.0));
    boxedTensor = Retained.retain(new IValue(tensor));
    boxedOne = Retained.retain(Operators.value(1.0));
  }

  @TearDown
  public void tearDown() {
    noGrad.close();
  }

  /** A native call without work: what every other one contains. */
  @Benchmark
  public long nativeCall() {
    return tensor.numel();
  }

  /** A bound operator that changes its tensor. */
  @Benchmark
  public void boundInPlace() {
    tensor.mul_(one);
  }

  /** A bound operator that makes a tensor, freed by a scope. */
  @Benchmark
  public void boundResultInScope() {
    try (StepScope scope = StepScope.open()) {
      tensor.mul(one);
    }
  }

  /** The operator by its name, through the dispatcher. */
  @Benchmark
  public void boxedInPlace() {
    Operators.call("aten::mul_", "Scalar", boxedTensor, boxedOne);
  }

  /** A scope with nothing in it. */
  @Benchmark
  public void emptyScope() {
    StepScope.open().close();
  }
}
