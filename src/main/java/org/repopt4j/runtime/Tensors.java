package org.repopt4j.runtime;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.math.LongMath;
import java.util.Arrays;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The passage of values between Java arrays and tensors. Every tensor made here owns its memory.
 */
public final class Tensors {
  private static final Device CPU = newCpu();

  private Tensors() {}

  private static Device newCpu() {
    Natives.load();
    return Retained.retain(new Device(torch.DeviceType.CPU));
  }

  /** The device of ordinary memory. */
  public static Device cpu() {
    return CPU;
  }

  /** A float32 CPU tensor of this shape with a copy of these values, row-major. */
  public static Tensor of(float[] values, long... shape) {
    Tensor tensor = empty(ScalarType.Float, CPU, checkedShape(values.length, shape));
    if (values.length > 0) { // an empty tensor has no data pointer
      try (FloatPointer data = tensor.data_ptr_float()) {
        data.put(values);
      }
    }
    return tensor;
  }

  /** A float64 CPU tensor of this shape with a copy of these values, row-major. */
  public static Tensor of(double[] values, long... shape) {
    Tensor tensor = empty(ScalarType.Double, CPU, checkedShape(values.length, shape));
    if (values.length > 0) { // an empty tensor has no data pointer
      try (DoublePointer data = tensor.data_ptr_double()) {
        data.put(values);
      }
    }
    return tensor;
  }

  /** An int64 CPU tensor of this shape with a copy of these values, row-major. */
  public static Tensor of(long[] values, long... shape) {
    Tensor tensor = empty(ScalarType.Long, CPU, checkedShape(values.length, shape));
    if (values.length > 0) { // an empty tensor has no data pointer
      try (LongPointer data = tensor.data_ptr_long()) {
        data.put(values);
      }
    }
    return tensor;
  }

  /** An uninitialised tensor. */
  public static Tensor empty(ScalarType type, Device device, long... shape) {
    try (TensorOptions options = options(type, device)) {
      return torch.empty(shape, options, new MemoryFormatOptional());
    }
  }

  /**
   * An uninitialised CPU tensor in pinned memory, from which a CUDA device reads while the thread
   * goes on. Freed memory is used again as soon as the copies from it are done.
   */
  public static Tensor pinned(ScalarType type, long... shape) {
    try (TensorOptions options = options(type, CPU).pinned_memory(new BoolOptional(true))) {
      return torch.empty(shape, options, new MemoryFormatOptional());
    }
  }

  /** A tensor of zeros. */
  public static Tensor zeros(ScalarType type, Device device, long... shape) {
    try (TensorOptions options = options(type, device)) {
      return torch.zeros(shape, options);
    }
  }

  /** A tensor of ones. */
  public static Tensor ones(ScalarType type, Device device, long... shape) {
    try (TensorOptions options = options(type, device)) {
      return torch.ones(shape, options);
    }
  }

  /** Type and place of a tensor about to be made. */
  public static TensorOptions options(ScalarType type, Device device) {
    Natives.load();
    return new TensorOptions()
        .dtype(new ScalarTypeOptional(type))
        .device(new DeviceOptional(device));
  }

  /** All values as float32, row-major, whatever the tensor's type, place and layout. */
  public static float[] toFloats(Tensor tensor) {
    try (StepScope scope = StepScope.open()) {
      Tensor plain = plain(tensor, ScalarType.Float);
      float[] values = new float[count(plain)];
      if (values.length > 0) {
        plain.data_ptr_float().get(values);
      }
      return values;
    }
  }

  /** All values as float64, row-major, whatever the tensor's type, place and layout. */
  public static double[] toDoubles(Tensor tensor) {
    try (StepScope scope = StepScope.open()) {
      Tensor plain = plain(tensor, ScalarType.Double);
      double[] values = new double[count(plain)];
      if (values.length > 0) {
        plain.data_ptr_double().get(values);
      }
      return values;
    }
  }

  /** All values as int64, row-major, whatever the tensor's type, place and layout. */
  public static long[] toLongs(Tensor tensor) {
    try (StepScope scope = StepScope.open()) {
      Tensor plain = plain(tensor, ScalarType.Long);
      long[] values = new long[count(plain)];
      if (values.length > 0) {
        plain.data_ptr_long().get(values);
      }
      return values;
    }
  }

  private static Tensor plain(Tensor tensor, ScalarType type) {
    return tensor.detach().to(CPU, type).contiguous();
  }

  /** The sizes of the tensor's dimensions. */
  public static long[] shape(Tensor tensor) {
    long[] shape = new long[(int) tensor.dim()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = tensor.size(i);
    }
    return shape;
  }

  /**
   * The type of the tensor's values. Unlike what {@code tensor.scalar_type()} returns, a new object
   * at each call, it can be compared by {@code ==}.
   */
  public static ScalarType type(Tensor tensor) {
    return tensor.scalar_type().intern();
  }

  /**
   * What tells two tensors apart: two Java objects over one libtorch tensor have the same key, two
   * tensors never have. It is valid while the tensor lives.
   */
  public static long identity(Tensor tensor) {
    return tensor.unsafeGetTensorImpl().address();
  }

  /** The tensor as an optional argument; {@code null} becomes the absent value. */
  public static TensorOptional optional(Tensor tensor) {
    return tensor == null ? new TensorOptional() : new TensorOptional(tensor);
  }

  private static int count(Tensor tensor) {
    long count = tensor.numel();
    checkArgument(
        count <= Integer.MAX_VALUE - 8,
        "the tensor has %s values, too many for one Java array",
        count);
    return (int) count;
  }

  private static long[] checkedShape(long length, long[] shape) {
    long count = 1;
    for (long size : shape) {
      checkArgument(
          size >= 0, "a dimension must not be negative, got shape %s", Arrays.toString(shape));
      count = LongMath.saturatedMultiply(count, size);
    }
    checkArgument(
        count == length, "%s values do not fill the shape %s", length, Arrays.toString(shape));
    return shape;
  }
}
