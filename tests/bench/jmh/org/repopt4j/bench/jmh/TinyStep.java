package org.repopt4j.bench.jmh;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.pytorch.CompilationUnit;
import org.bytedeco.pytorch.Function;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Network;
import org.repopt4j.optim.Engine;
import org.repopt4j.optim.ParameterGroups;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.Operators;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.train.Losses;

/**
 * What Java adds to a training step: a tiny network, where it would show, called operator by
 * operator from Java, and the same operators in the same order on the same libtorch called by
 * libtorch's own C++ interpreter, into which Java calls once, and once more for the update.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class TinyStep {
  private static final String ARCHITECTURE =
      "custom:blocks=1,1,1,1;width=0.125,0.125,0.125,0.125;strides=2,2,2,2,2";
  private static final double DECAY = 4e-5;
  private static final double RATE = 1e-6;

  private static final String SCRIPT =
      """
      def loss(x: Tensor, y: Tensor, k: List[Tensor], w: List[Tensor], b: List[Tensor], m: List[Tensor], v: List[Tensor],
               n: List[Tensor], last: List[Tensor]) -> Tensor:
          h = x
          for i in range(len(k)):
              h = torch.conv2d(h, k[i], None, [2, 2], [1, 1], [1, 1], 1)
              n[i].add_(1)
              h = torch.relu_(torch.batch_norm(h, w[i], b[i], m[i], v[i], True, 0.1, 1e-5, True))
          h = torch.flatten(torch.adaptive_avg_pool2d(h, [1, 1]), 1)
          return torch.cross_entropy_loss(torch.linear(h, last[0], last[1]), y)

      def backward(x: Tensor, y: Tensor, k: List[Tensor], w: List[Tensor], b: List[Tensor], m: List[Tensor], v: List[Tensor],
                   n: List[Tensor], last: List[Tensor]) -> Tensor:
          value = loss(x, y, k, w, b, m, v, n, last)
          value.backward()
          return value

      def update(parameters: List[Tensor], buffers: List[Tensor], decay: float, rate: float):
          for i in range(len(parameters)):
              p = parameters[i]
              d = p.grad
              if p.dim() > 1:
                  d = d.add(p, alpha=decay)
              buffers[i].mul_(0.9).add_(d)
              p.add_(d.add(buffers[i], alpha=0.9), alpha=-rate)
      """;

  @Param public Engine engine;

  private Network network;
  private RepOptimizer optimizer;
  private Tensor images;
  private Tensor labels;
  private CompilationUnit unit;
  private Function nativeLoss;
  private Function nativeBackward;
  private Function nativeUpdate;
  private final List<IValue> lossArguments = new ArrayList<>();
  private final List<IValue> updateArguments = new ArrayList<>();

  @Setup
  public void setUp() {
    Natives.load();
    Natives.threads(1);
    network = Architecture.parse(ARCHITECTURE).target(10);
    optimizer =
        RepOptimizer.sgd(ParameterGroups.official(network.namedParameters(), DECAY))
            .momentum(0.9)
            .nesterov(true)
            .engine(engine)
            .build();
    images = Retained.retain(torch.randn(new long[] {2, 3, 16, 16}));
    labels = Retained.retain(Tensors.of(new long[] {1, 2}, 2));
    interpretOnly();
    unit = Retained.retain(torch.compile(SCRIPT));
    nativeLoss = Retained.retain(unit.find_function(new QualifiedName("loss")));
    nativeBackward = Retained.retain(unit.find_function(new QualifiedName("backward")));
    nativeUpdate = Retained.retain(unit.find_function(new QualifiedName("update")));
    collectArguments();
    checkEqual();
  }

  /** The interpreter is to call the operators as they are written, as Java does. */
  private static void interpretOnly() {
    torch.setGraphExecutorOptimize(false);
    try (BoolPointer profiling = torch.getProfilingMode();
        BoolPointer executor = torch.getExecutorMode()) {
      profiling.put(false);
      executor.put(false);
    }
  }

  private void collectArguments() {
    Map<String, Tensor> state = network.stateDict();
    lossArguments.add(new IValue(images));
    lossArguments.add(new IValue(labels));
    for (String end :
        List.of(
            "conv.weight",
            "bn.weight",
            "bn.bias",
            "bn.running_mean",
            "bn.running_var",
            "bn.num_batches_tracked")) {
      lossArguments.add(list(state, name -> name.endsWith("." + end)));
    }
    lossArguments.add(list(state, name -> name.startsWith("linear.")));
    List<Tensor> parameters = new ArrayList<>(network.namedParameters().values());
    List<Tensor> buffers = new ArrayList<>();
    parameters.forEach(p -> buffers.add(Retained.retain(torch.zeros_like(p).detach())));
    updateArguments.add(Operators.list(parameters));
    updateArguments.add(Operators.list(buffers));
    updateArguments.add(Operators.value(DECAY));
    updateArguments.add(Operators.value(RATE));
  }

  private static IValue list(Map<String, Tensor> state, Predicate<String> wanted) {
    return Operators.list(
        state.entrySet().stream()
            .filter(entry -> wanted.test(entry.getKey()))
            .map(Map.Entry::getValue)
            .toList());
  }

  private void checkEqual() {
    try (StepScope scope = StepScope.open()) {
      double java = lossFromJava().item_double();
      double other = run(nativeLoss, lossArguments).get(0).toTensor().item_double();
      if (Math.abs(java - other) > 1e-6) {
        throw new IllegalStateException("the two losses differ: " + java + " and " + other);
      }
    }
  }

  private static IValueVector run(Function function, List<IValue> arguments) {
    IValueVector stack = new IValueVector(arguments.toArray(new IValue[0]));
    function.run(stack);
    return stack;
  }

  private Tensor lossFromJava() {
    return Losses.crossEntropy(network.forward(images), labels, 0);
  }

  /** Forward and loss: a call from Java for each operator. */
  @Benchmark
  public double forwardFromJava() {
    try (StepScope scope = StepScope.open()) {
      return lossFromJava().item_double();
    }
  }

  /** Forward and loss: one call from Java. */
  @Benchmark
  public double forwardFromNative() {
    try (StepScope scope = StepScope.open()) {
      return run(nativeLoss, lossArguments).get(0).toTensor().item_double();
    }
  }

  /** Forward, loss, backward, update by the engine: a call from Java for each operator. */
  @Benchmark
  public double stepFromJava() {
    try (StepScope scope = StepScope.open()) {
      Tensor loss = lossFromJava();
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step(RATE);
      return loss.item_double();
    }
  }

  /** Forward, loss, backward, update tensor by tensor: two calls from Java. */
  @Benchmark
  public double stepFromNative() {
    try (StepScope scope = StepScope.open()) {
      optimizer.zeroGrad();
      Tensor loss = run(nativeBackward, lossArguments).get(0).toTensor();
      try (NoGrad noGrad = NoGrad.open()) {
        run(nativeUpdate, updateArguments);
      }
      return loss.item_double();
    }
  }
}
