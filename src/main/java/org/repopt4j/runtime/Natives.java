package org.repopt4j.runtime;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.File;
import java.io.IOException;
import java.time.Duration;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.presets.openblas_nolapack;
import org.bytedeco.pytorch.Context;
import org.bytedeco.pytorch.global.torch;

/** Loads libtorch once and holds its process-wide settings. */
public final class Natives {
  private static volatile boolean loaded;

  private Natives() {}

  /**
   * Loads libtorch, if it is not loaded yet, and gives it one thread for each processor: the
   * presets start it with one thread only.
   *
   * @throws IllegalStateException if there is no libtorch for this platform on the class path
   */
  public static void load() {
    if (!loaded) {
      loadOnce();
    }
  }

  private static synchronized void loadOnce() {
    if (loaded) {
      return;
    }
    if (isOnClassPath("") && isOnClassPath("-gpu")) {
      throw new IllegalStateException(
          "both the CPU and the CUDA build of libtorch for "
              + Loader.getPlatform()
              + " are on the class path, which would abort the process; leave exactly one");
    }
    try {
      // Unpack every library before the first one is loaded. Otherwise the first load on a machine
      // that has another libtorch in a
      // system folder resolves a library that is not unpacked yet to the system's, and the process
      // dies.
      Loader.cacheResource("/" + folder(isCudaBuild() ? "-gpu" : ""));
      Loader.load(torch.class);
    } catch (UnsatisfiedLinkError | IOException e) {
      throw new IllegalStateException(
          "libtorch could not be loaded for "
              + Loader.getPlatform()
              + ": "
              + NativeErrors.sentence(e)
              + "; put org.bytedeco:pytorch with exactly one native classifier on the class path"
              + " (see 'repopt doctor')",
          e);
    }
    torch.set_num_threads(Runtime.getRuntime().availableProcessors());
    // Convolutions are oneDNN's. OpenBLAS multiplies the small matrix of the last layer, and
    // threads
    // of its own would then spin on the processors that the next convolution needs.
    openblas_nolapack.blas_set_num_threads(1);
    loaded = true;
  }

  /** The number of threads that one operator may use. */
  public static int threads() {
    load();
    return torch.get_num_threads();
  }

  /**
   * Sets the number of threads that one operator may use.
   *
   * @param threads at least 1
   */
  public static void threads(int threads) {
    checkArgument(threads >= 1, "threads must be at least 1, got: %s", threads);
    load();
    torch.set_num_threads(threads);
  }

  /**
   * Asks every backend for reproducible algorithms ({@code torch.use_deterministic_algorithms} and
   * the cuDNN and oneDNN switches); otherwise lets cuDNN try out which of its algorithms is fastest
   * for each shape. On CUDA, products are refused then unless the process was started with {@code
   * CUBLAS_WORKSPACE_CONFIG} set to {@code :4096:8} or {@code :16:8}, as the launcher does.
   */
  public static void deterministic(boolean on) {
    load();
    Context context = torch.globalContext();
    context.setDeterministicAlgorithms(on, false);
    context.setDeterministicCuDNN(on);
    context.setBenchmarkCuDNN(!on);
    context.setDeterministicMkldnn(on);
  }

  /**
   * Whether cuDNN tries out which of its algorithms is fastest for each shape that it has not met
   * before, which takes as long as dozens of steps, or takes the one that it holds for fastest.
   */
  public static void autotune(boolean on) {
    load();
    torch.globalContext().setBenchmarkCuDNN(on);
  }

  /**
   * Whether CUDA's convolutions and matrix products may round their float32 inputs to TF32.
   * libtorch itself begins with TF32 in cuDNN and without it in cuBLAS; this sets both alike.
   */
  public static void tf32(boolean on) {
    load();
    Context context = torch.globalContext();
    context.setAllowTF32CuDNN(on);
    context.setAllowTF32CuBLAS(on);
  }

  /**
   * Seeds libtorch's default generators of every device, like Python's {@code torch.manual_seed}.
   */
  public static void manualSeed(long seed) {
    load();
    torch.manual_seed(seed);
  }

  /** The platform whose natives are used, for example {@code linux-x86_64}. */
  public static String platform() {
    return Loader.getPlatform();
  }

  /** Whether the natives on the class path are the CUDA build. */
  public static boolean isCudaBuild() {
    return isOnClassPath("-gpu");
  }

  private static boolean isOnClassPath(String flavour) {
    return Loader.class.getClassLoader().getResource(folder(flavour)) != null;
  }

  private static String folder(String flavour) {
    return "org/bytedeco/pytorch/" + Loader.getPlatform() + flavour + "/";
  }

  /** The folder into which the natives are unpacked at the first start. */
  public static File cacheFolder() throws IOException {
    return Loader.getCacheDir();
  }

  /** The vector instructions that libtorch's own kernels use here, for example {@code AVX512}. */
  public static String cpuCapability() {
    load();
    try (BytePointer capability = torch.get_cpu_capability()) {
      return capability.getString();
    }
  }

  /** How many native objects the Java objects of this process own now. */
  public static long handles() {
    load();
    return Pointer.totalCount();
  }

  /**
   * Has the garbage collected, with the native objects that it alone still owned, so that none of
   * them goes while {@link #handles} are counted; waits for that, a second at most.
   */
  public static void collectGarbage() {
    load();
    // Garbage is freed by a thread of JavaCPP's, which does not say when it is done.
    long before;
    long begin = System.nanoTime();
    do {
      before = handles();
      System.gc();
      Uninterruptibles.sleepUninterruptibly(Duration.ofMillis(50));
    } while (handles() != before && System.nanoTime() - begin < 1_000_000_000L);
  }

  /** Whether a CUDA device can be used by this build on this machine. */
  public static boolean cudaIsAvailable() {
    load();
    return torch.cuda_is_available();
  }
}
