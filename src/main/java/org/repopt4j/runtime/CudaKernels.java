package org.repopt4j.runtime;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUmod_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.cuda.CUDAStream;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.bytedeco.pytorch.global.torch_cuda;

/**
 * The CUDA side of {@link UpdateKernels} on one device: the kernels of {@code
 * native-config/kernels/cuda_update.cu}, loaded from the jar if the build had {@code nvcc},
 * otherwise compiled for the device by NVRTC ({@link CudaImage}). A launch goes to libtorch's
 * current stream and does not wait.
 */
public final class CudaKernels {
  /** Of a block; {@code cuda_update.cu} is compiled for as many. */
  static final int THREADS = 128;

  private record Found(Optional<CudaKernels> kernels, String reason) {}

  private static final Map<Integer, Found> FOUND = new ConcurrentHashMap<>();

  private final int device;
  private final CUmod_st module;
  private final String arithmetic;
  private final Map<String, CUfunc_st> functions = new HashMap<>();

  private CudaKernels(int device, CUmod_st module, boolean float64) {
    this.device = device;
    this.module = module;
    this.arithmetic = float64 ? "" : "_in_float32";
  }

  /** The kernels of a device; empty where they cannot be had. */
  public static Optional<CudaKernels> of(int device) {
    return found(device).kernels();
  }

  /** Where the kernels of a device come from, or why there are none. */
  public static String reason(int device) {
    return found(device).reason();
  }

  private static Found found(int device) {
    return FOUND.computeIfAbsent(device, CudaKernels::find);
  }

  private static Found find(int device) {
    if (UpdateKernels.isOff()) {
      return new Found(Optional.empty(), UpdateKernels.OFF);
    }
    if (!Natives.cudaIsAvailable()) {
      return new Found(Optional.empty(), "there is no CUDA device");
    }
    int before = current();
    try {
      check("cudaSetDevice", cudart.cudaSetDevice(device));
      CudaImage image = CudaImage.of(device);
      CUmod_st module = Retained.retain(new CUmod_st());
      check("cuModuleLoadData", cudart.cuModuleLoadData(module, image.bytes()));
      // Doubles cost a 64th of the speed on devices made for graphics.
      boolean float64 = attribute(device, cudart.cudaDevAttrSingleToDoublePrecisionPerfRatio) <= 2;
      return new Found(
          Optional.of(new CudaKernels(device, module, float64)),
          image.source() + ", float" + (float64 ? 64 : 32) + " arithmetic");
    } catch (RuntimeException | LinkageError e) {
      return new Found(Optional.empty(), NativeErrors.sentence(e));
    } finally {
      back(before);
    }
  }

  /**
   * One step of all parameters in a table of one type.
   *
   * @param kernel its name without the arithmetic
   * @param table rows of {@value UpdateKernels#FIELDS} fields
   * @param piece elements of a block's piece
   * @param pieces of all rows together
   */
  public synchronized void update(
      String kernel, long[] table, int rows, int piece, long pieces, Device where) {
    if (pieces == 0) {
      return;
    }
    int before = current();
    try (StepScope scope = StepScope.open()) {
      check("cudaSetDevice", cudart.cudaSetDevice(device));
      // From pinned memory, because the driver may wait for the stream before it reads any other.
      // Both copies are given back to libtorch, which uses their memory again in the stream's
      // order.
      int fields = rows * UpdateKernels.FIELDS;
      Tensor rowsHere = Tensors.pinned(ScalarType.Long, fields);
      rowsHere.data_ptr_long().put(table, 0, fields);
      Tensor rowsThere =
          rowsHere.to(where, ScalarType.Long, true, false, new MemoryFormatOptional());
      LongPointer address = new LongPointer(new long[] {rowsThere.data_ptr().address()});
      PointerPointer<?> arguments =
          new PointerPointer<>(
              address,
              new IntPointer(new int[] {rows}),
              new IntPointer(new int[] {piece}),
              new IntPointer(new int[] {Math.toIntExact(pieces)}));
      check(
          "cuLaunchKernel",
          cudart.cuLaunchKernel(
              function(kernel),
              Math.toIntExact(pieces),
              1,
              1,
              THREADS,
              1,
              1,
              0,
              stream(),
              arguments,
              (PointerPointer<?>) null));
    } finally {
      back(before);
    }
  }

  private CUfunc_st function(String kernel) {
    String name = kernel.endsWith("_float64") ? kernel : kernel + arithmetic;
    return functions.computeIfAbsent(
        name,
        key -> {
          CUfunc_st function = Retained.retain(new CUfunc_st());
          check("cuModuleGetFunction", cudart.cuModuleGetFunction(function, module, key));
          return function;
        });
  }

  /** libtorch's current stream; its default one where the presets' CUDA classes do not load. */
  private CUstream_st stream() {
    try {
      CUDAStream stream = torch_cuda.getCurrentCUDAStream((byte) device);
      return stream.stream();
    } catch (LinkageError e) {
      return new CUstream_st();
    }
  }

  /**
   * To the device that was current, unless that would be the first use of it, which takes memory.
   */
  private static void back(int before) {
    int[] active = new int[1];
    if (cudart.cuDevicePrimaryCtxGetState(before, new int[1], active) == 0 && active[0] != 0) {
      cudart.cudaSetDevice(before);
    }
  }

  private static int current() {
    int[] device = new int[1];
    check("cudaGetDevice", cudart.cudaGetDevice(device));
    return device[0];
  }

  static int attribute(int device, int attribute) {
    int[] value = new int[1];
    check("cudaDeviceGetAttribute", cudart.cudaDeviceGetAttribute(value, attribute, device));
    return value[0];
  }

  private static void check(String call, int status) {
    if (status != 0) {
      throw new IllegalStateException(
          call + " failed with CUDA error " + status + " (" + name(status) + ")");
    }
  }

  private static String name(int status) {
    try (StepScope scope = StepScope.open()) {
      PointerPointer<BytePointer> name = new PointerPointer<>(1);
      return cudart.cuGetErrorName(status, name) == 0
          ? name.get(BytePointer.class).getString()
          : "unknown";
    }
  }
}
