package org.repopt4j.io;

import com.google.common.hash.Hashing;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Tensors;

/** Tensors of every type and odd shapes, and the lines by which two sets of them are compared. */
public final class SampleTensors {
  private static final long[][] SHAPES = {{5, 3, 2}, {}, {0}, {7}, {2, 0, 3}, {1, 1}, {3, 11}};

  private SampleTensors() {}

  /** Random bits (NaNs of any payload among them) in every type, in an order that is not sorted. */
  public static Map<String, Tensor> everyType(long seed) {
    Random random = new Random(seed);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (int round = 0; round < 2; round++) {
      for (Dtype dtype : Dtype.values()) {
        long[] shape = SHAPES[random.nextInt(SHAPES.length)];
        String name = (char) ('z' - random.nextInt(26)) + "." + dtype + "." + round + " ü\"\\\n𝄞";
        tensors.put(name, bits(random, dtype, shape));
      }
    }
    return tensors;
  }

  static Tensor bits(Random random, Dtype dtype, long... shape) {
    Tensor tensor = Tensors.empty(dtype.scalarType(), Tensors.cpu(), shape);
    byte[] bytes = new byte[(int) tensor.numel() * dtype.bytes()];
    random.nextBytes(bytes);
    for (int i = 0; dtype == Dtype.BOOL && i < bytes.length; i++) {
      bytes[i] &= 1;
    }
    if (bytes.length > 0) {
      new BytePointer(tensor.data_ptr()).put(bytes);
    }
    return tensor;
  }

  /** One line a tensor: name, type, shape, SHA-256 of its bytes; as tensor_files.py prints it. */
  public static List<String> describe(Map<String, Tensor> tensors) {
    return tensors.entrySet().stream().map(e -> describe(e.getKey(), e.getValue())).toList();
  }

  private static String describe(String name, Tensor tensor) {
    Tensor dense = tensor.contiguous();
    byte[] bytes = new byte[(int) (dense.numel() * dense.element_size())];
    if (bytes.length > 0) {
      new BytePointer(dense.data_ptr()).get(bytes);
    }
    String shape =
        Arrays.stream(Tensors.shape(tensor))
            .mapToObj(Long::toString)
            .collect(Collectors.joining(","));
    return String.join(
        "\t", name, Dtype.of(tensor).name(), shape, Hashing.sha256().hashBytes(bytes).toString());
  }
}
