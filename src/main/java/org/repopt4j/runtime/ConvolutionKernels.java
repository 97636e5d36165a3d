package org.repopt4j.runtime;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.UpdateKernels.Instructions;

/**
 * Our own native code for 3x3 convolutions with stride 1 or 2 and padding 1 on a CPU ({@code
 * native-config/kernels/convolution.h}): float32, contiguous {@code [n, channels, h, w]}. They are
 * off where {@link UpdateKernels} are, and by the system property {@value #PROPERTY}{@code =off}.
 */
@Platform(include = "convolution.h")
final class ConvolutionKernels {
  /** Of the choice between these kernels and libtorch's. */
  static final String PROPERTY = "repopt.convolutions";

  private static final boolean FOUND = find();
  private static final boolean TILES = FOUND && repopt_multiplies_tiles() != 0;
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

  /**
   * Whether the processor multiplies tiles of bfloat16 (AMX): libtorch's products are fast then.
   */
  static boolean multipliesTiles() {
    return TILES;
  }

  /** Writes the convolution of {@code x} with {@code w} into {@code y}. */
  static void convolve(Tensor x, Tensor w, Tensor y, int stride) {
    run(ConvolutionKernels::repopt_convolution, x, w, y, shape(x, w, stride));
  }

  /** The gradient of the inputs {@code x}, from that of the outputs. */
  static Tensor inputGradient(Tensor gy, Tensor w, Tensor x, int stride) {
    Tensor gx = Tensors.empty(ScalarType.Float, Tensors.cpu(), Tensors.shape(x));
    run(ConvolutionKernels::repopt_convolution_input_gradient, gy, w, gx, shape(x, w, stride));
    return gx;
  }

  /**
   * The gradient of the weights {@code w} in float32, from the inputs and the gradient of the
   * outputs in float32 or bfloat16.
   */
  static Tensor weightGradient(Tensor x, Tensor gy, Tensor w, int stride) {
    if (Tensors.type(x) == ScalarType.BFloat16) {
      return halfWeightGradient(x, gy, w, stride);
    }
    Tensor gw = Tensors.empty(ScalarType.Float, Tensors.cpu(), Tensors.shape(w));
    run(ConvolutionKernels::repopt_convolution_weight_gradient, x, gy, gw, shape(x, w, stride));
    return gw;
  }

  /** From bfloat16, by one product of libtorch's, rounded as libtorch's own gradient is. */
  private static Tensor halfWeightGradient(Tensor x, Tensor gy, Tensor w, int stride) {
    long pixels = gy.numel() / gy.size(1);
    Tensor columns = Tensors.empty(ScalarType.BFloat16, Tensors.cpu(), 9 * x.size(1), pixels);
    Tensor rows = Tensors.empty(ScalarType.BFloat16, Tensors.cpu(), gy.size(1), pixels);
    repopt_weight_gradient_factors(
        x.data_ptr(),
        gy.data_ptr(),
        columns.data_ptr(),
        rows.data_ptr(),
        shape(x, w, stride),
        Natives.threads());
    return torch.mm(rows, columns.t()).to(ScalarType.Float).view(Tensors.shape(w));
  }

  @FunctionalInterface
  private interface Kernel {
    void run(
        FloatPointer a,
        FloatPointer b,
        FloatPointer to,
        FloatPointer scratch,
        long[] shape,
        int threads,
        int instructions);
  }

  private static void run(Kernel kernel, Tensor a, Tensor b, Tensor to, long[] shape) {
    try (StepScope scope = StepScope.open()) {
      kernel.run(
          a.data_ptr_float(),
          b.data_ptr_float(),
          to.data_ptr_float(),
          scratch(shape),
          shape,
          Natives.threads(),
          number());
    }
  }

  private static long[] shape(Tensor x, Tensor w, int stride) {
    return new long[] {x.size(0), x.size(2), x.size(3), w.size(0), w.size(1), stride};
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

  private static native int repopt_multiplies_tiles();

  private static native void repopt_weight_gradient_factors(
      @Cast("const uint16_t*") Pointer x,
      @Cast("const uint16_t*") Pointer gy,
      @Cast("uint16_t*") Pointer columns,
      @Cast("uint16_t*") Pointer rows,
      @Cast("const int64_t*") long[] shape,
      int threads);

  private static native @Cast("int64_t") long repopt_convolution_scratch(
      @Cast("const int64_t*") long[] shape, int instructions);

  private static native void repopt_convolution(
      FloatPointer x,
      FloatPointer w,
      FloatPointer y,
      FloatPointer scratch,
      @Cast("const int64_t*") long[] shape,
      int threads,
      int instructions);

  private static native void repopt_convolution_input_gradient(
      FloatPointer gy,
      FloatPointer w,
      FloatPointer gx,
      FloatPointer scratch,
      @Cast("const int64_t*") long[] shape,
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
