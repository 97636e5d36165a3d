package org.repopt4j.runtime;

import com.google.common.collect.ImmutableList;
import java.util.List;

/**
 * One shared library of NVIDIA's that the GPU build of libtorch uses on Linux (read off the {@code
 * DT_NEEDED} entries of its files).
 *
 * @param file its file name
 * @param feature what does not work without it
 * @param need what fails first where it is missing
 * @param apt its package in NVIDIA's repository for Debian and Ubuntu
 * @param pip its Python package for CUDA 13
 * @param redistributed whether {@code org.bytedeco:cuda-redist} on the class path holds it
 */
public record CudaLibrary(
    String file, String feature, Need need, String apt, String pip, boolean redistributed) {

  /** What fails where a library is missing. */
  public enum Need {
    /** There is no device at all. */
    DRIVER,
    /** The CUDA half of libtorch does not load: there is no device at all. */
    LOADING,
    /** One feature only. */
    FEATURE
  }

  private static final ImmutableList<CudaLibrary> ALL =
      ImmutableList.of(
          new CudaLibrary("libcuda.so.1", "any use of a GPU", Need.DRIVER, "", "", false),
          of(
              "libcudart.so.13",
              "any use of a GPU",
              "cuda-cudart-13-0",
              "nvidia-cuda-runtime",
              true),
          of("libcublas.so.13", "matrix products", "libcublas-13-0", "nvidia-cublas", false),
          of("libcublasLt.so.13", "matrix products", "libcublas-13-0", "nvidia-cublas", false),
          of("libcudnn.so.9", "convolutions", "libcudnn9-cuda-13", "nvidia-cudnn-cu13", false),
          of("libnccl.so.2", "several GPUs", "libnccl2", "nvidia-nccl-cu13", false),
          of("libcusparse.so.12", "sparse tensors", "libcusparse-13-0", "nvidia-cusparse", false),
          of("libnvJitLink.so.13", "cuSPARSE", "libnvjitlink-13-0", "nvidia-nvjitlink", true),
          of("libcufft.so.12", "Fourier transforms", "libcufft-13-0", "nvidia-cufft", true),
          of("libcurand.so.10", "random numbers", "libcurand-13-0", "nvidia-curand", true),
          of("libcufile.so.0", "direct storage", "libcufile-13-0", "nvidia-cufile", true),
          of("libcupti.so.13", "profiling", "cuda-cupti-13-0", "nvidia-cuda-cupti", true),
          feature(
              "libcusolver.so.12", "linear algebra", "libcusolver-13-0", "nvidia-cusolver", false),
          feature(
              "libcusolverMg.so.12",
              "streams, graphs and memory figures",
              "libcusolver-13-0",
              "nvidia-cusolver",
              false),
          feature(
              "libnvrtc.so.13",
              "kernels compiled at run time",
              "cuda-nvrtc-13-0",
              "nvidia-cuda-nvrtc",
              true));

  private static CudaLibrary of(
      String file, String feature, String apt, String pip, boolean redistributed) {
    return new CudaLibrary(file, feature, Need.LOADING, apt, pip, redistributed);
  }

  private static CudaLibrary feature(
      String file, String feature, String apt, String pip, boolean redistributed) {
    return new CudaLibrary(file, feature, Need.FEATURE, apt, pip, redistributed);
  }

  /** Every library, in the order in which a person would want to know of them. */
  public static List<CudaLibrary> all() {
    return ALL;
  }

  /** How to get it, for people. */
  public String source() {
    if (need == Need.DRIVER) {
      return "install an NVIDIA driver of release 580 or later";
    }
    return "apt install "
        + apt
        + (redistributed ? ", pip install " : " or pip install ")
        + pip
        + (redistributed ? " or org.bytedeco:cuda-redist on the class path" : "");
  }
}
