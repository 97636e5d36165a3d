package org.repopt4j.runtime;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.UpdateKernels.Instructions;

/**
 * Our own native code for 3x3 convolutions with stride 1 and padding 1 on a CPU ({@code
 * native-config/kernels/winograd.h}): float32, contiguous {@code [n, channels, h, w]}. They are off
 * where {@link UpdateKernels} are, and by the system property {@value #PROPERTY}{@code =off}.
 */
@Platform(include = "winograd.h")
final class ConvolutionKernels {
  /** Of the choice between these kernels and libtorch's. */
  static final String PROPERTY = "repopt.convolutions";

  private static final boolean FOUND = find();
  private static final ThreadLocal<Tensor> SCRATCH = new ThreadLocal<>();

  private ConvolutionKernels() {}

  private static boolean find() {
    if (System.getProperty(PROPERTY, "").equals("off")
        || UpdateKernels.instructions().orElse(Instructions.BASELINE) == Instructions.BASELINE) {
      return false;
    }
    try {
      Loader.load(ConvolutionKernels.class);
      return true;
    } catch (UnsatisfiedLinkError e) {
      return false;
    }
  }

  /** Whether there is compiled code for this processor. */
  static boolean available() {
    return FOUND;
  }

  /** Writes the convolution of {@code x} with {@code w} into {@code y}. */
  static void convolve(Tensor x, Tensor w, Tensor y) {
    run(x, w, w, y, false);
  }

  /** The gradient of the inputs, from that of the outputs. */
  static Tensor inputGradient(Tensor gy, Tensor w) {
    Tensor gx =
        Tensors.empty(
            ScalarType.Float, Tensors.cpu(), gy.size(0), w.size(1), gy.size(2), gy.size(3));
    run(gy, w, w, gx, true);
    return gx;
  }

  /** The gradient of the weights, from the inputs and the gradient of the outputs. */
  static Tensor weightGradient(Tensor x, Tensor gy, Tensor w) {
    Tensor gw = Tensors.empty(ScalarType.Float, Tensors.cpu(), Tensors.shape(w));
    long[] shape = shape(x, w);
    try (StepScope scope = StepScope.open()) {
      repopt_convolution_weight_gradient(
          x.data_ptr_float(),
          gy.data_ptr_float(),
          gw.data_ptr_float(),
          scratch(shape),
          shape,
          Natives.threads(),
          number());
    }
    return gw;
  }

  private static void run(Tensor from, Tensor w, Tensor like, Tensor to, boolean turned) {
    long[] shape = shape(from, like);
    try (StepScope scope = StepScope.open()) {
      repopt_convolve(
          from.data_ptr_float(),
          w.data_ptr_float(),
          to.data_ptr_float(),
          scratch(shape),
          shape,
          turned,
          Natives.threads(),
          number());
    }
  }

  private static long[] shape(Tensor planes, Tensor w) {
    return new long[] {planes.size(0), planes.size(2), planes.size(3), w.size(0), w.size(1)};
  }

  /** Of this thread; it grows to what the largest layer needs and stays, so that pages do, too. */
  private static FloatPointer scratch(long[] shape) {
    long floats = repopt_convolution_scratch(shape, number());
    Tensor scratch = SCRATCH.get();
    if (scratch == null || scratch.numel() < floats) {
      scratch = Retained.retain(Tensors.empty(ScalarType.Float, Tensors.cpu(), floats));
      SCRATCH.set(scratch);
    }
    return scratch.data_ptr_float();
  }

  private static int number() {
    return UpdateKernels.instructions().orElseThrow() == Instructions.AVX512 ? 2 : 1;
  }

  private static native @Cast("int64_t") long repopt_convolution_scratch(
      @Cast("const int64_t*") long[] shape, int instructions);

  private static native void repopt_convolve(
      FloatPointer x,
      FloatPointer w,
      FloatPointer y,
      FloatPointer scratch,
      @Cast("const int64_t*") long[] shape,
      boolean turned,
      int threads,
      int instructions);

  private static native void repopt_convolution_weight_gradient(
      FloatPointer x,
      FloatPointer gy,
      FloatPointer gw,
      FloatPointer scratch,
      @Cast("const int64_t*") long[] shape,
      int threads,
      int instructions);
}
