package org.repopt4j.bench;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.runtime.UpdateKernels;

/** The limit by our own vectorised native loops over tensors' memory. */
final class NativeMemoryLimit implements MemoryLimit {
  private final UpdateRule rule;
  private final long elements;
  private final long masked;
  private final int threads;
  private final List<Tensor> arrays = new ArrayList<>();
  private final LongPointer addresses;

  /**
   * Allocates and touches the arrays.
   *
   * @param elements of all parameters
   * @param masked how many of them have a Grad Mult
   * @param threads that share the work, at least 1
   */
  NativeMemoryLimit(UpdateRule rule, long elements, long masked, int threads) {
    this.rule = rule;
    this.elements = elements;
    this.masked = masked;
    this.threads = threads;
    int count = Streams.of(rule, /* mask= */ true).read();
    this.addresses = Retained.retain(new LongPointer(count));
    try (StepScope scope = StepScope.open()) {
      for (int a = 0; a < count; a++) {
        Tensor array = Retained.retain(Tensors.zeros(ScalarType.Float, Tensors.cpu(), elements));
        arrays.add(array.fill_(Tensors.of(new float[] {1e-3f}, 1).squeeze()));
        addresses.put(a, array.data_ptr().address());
      }
    }
  }

  @Override
  public String means() {
    return "native loops over tensors, "
        + UpdateKernels.instructions().orElseThrow()
        + ", threads: "
        + threads;
  }

  @Override
  public List<Work> works() {
    return ImmutableList.of(new Pass("limit with a dense mask", masked), new Pass("limit", 0));
  }

  @Override
  public void close() {
    arrays.forEach(Tensor::close);
    addresses.close();
  }

  private final class Pass implements Work {
    private final String name;
    private final long withMask;

    Pass(String name, long withMask) {
      this.name = name;
      this.withMask = withMask;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public long bytes() {
      return Streams.of(rule, /* mask= */ true).bytes(withMask)
          + Streams.of(rule, /* mask= */ false).bytes(elements - withMask);
    }

    @Override
    public void run() {
      goThrough(withMask, Streams.of(rule, /* mask= */ true));
      goThrough(elements - withMask, Streams.of(rule, /* mask= */ false));
    }
  }

  private void goThrough(long count, Streams streams) {
    if (count > 0) {
      UpdateKernels.limit(addresses, streams.read(), streams.written(), count, threads);
    }
  }
}
