package org.repopt4j.runtime;

import com.google.common.hash.Hashing;
import com.google.common.io.Resources;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.nvrtc;
import org.bytedeco.cuda.nvrtc._nvrtcProgram;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;

/**
 * Machine code of the CUDA kernels for one device: what {@code nvcc} made at build time, or, where
 * the build had none, what NVRTC makes of the sources, which is then kept in the user's cache
 * folder by source and architecture.
 *
 * @param bytes the image
 * @param source where it comes from, for people
 */
record CudaImage(BytePointer bytes, String source) {
  private static final String FOLDER = "kernels/";
  private static final String MAIN = "cuda_update.cu";
  private static final List<String> HEADERS = List.of("elementwise.h", "table.h", "element.h");

  static CudaImage of(int device) {
    URL shipped = CudaImage.class.getResource(FOLDER + "cuda_update.fatbin");
    try {
      if (shipped != null) {
        return new CudaImage(retained(Resources.toByteArray(shipped)), "compiled by nvcc");
      }
      String architecture =
          "sm_"
              + CudaKernels.attribute(device, cudart.cudaDevAttrComputeCapabilityMajor)
              + CudaKernels.attribute(device, cudart.cudaDevAttrComputeCapabilityMinor);
      return new CudaImage(retained(compiled(architecture)), "compiled by NVRTC");
    } catch (IOException e) {
      throw new UncheckedIOException("the CUDA kernels cannot be read: " + e.getMessage(), e);
    }
  }

  private static BytePointer retained(byte[] image) {
    return Retained.retain(new BytePointer(image));
  }

  private static byte[] compiled(String architecture) throws IOException {
    StringBuilder all = new StringBuilder(text(MAIN));
    for (String header : HEADERS) {
      all.append(text(header));
    }
    String hash = Hashing.sha256().hashString(all, StandardCharsets.UTF_8).toString();
    Path kept = cache().resolve("cuda-update-" + hash.substring(0, 16) + "-" + architecture);
    if (Files.isRegularFile(kept)) {
      return Files.readAllBytes(kept);
    }
    byte[] image = compile(architecture);
    try {
      Files.createDirectories(kept.getParent());
      Path temporary = Files.createTempFile(kept.getParent(), "cuda-update", ".tmp");
      Files.write(temporary, image);
      Files.move(temporary, kept, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      // A cache that cannot be written costs seconds at each start, nothing else.
      return image;
    }
    return image;
  }

  private static Path cache() {
    String configured = System.getenv("XDG_CACHE_HOME");
    Path caches =
        configured == null || configured.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(configured);
    return caches.resolve("repopt4j");
  }

  private static byte[] compile(String architecture) throws IOException {
    try (StepScope scope = StepScope.open()) {
      BytePointer[] texts = new BytePointer[HEADERS.size()];
      BytePointer[] names = new BytePointer[HEADERS.size()];
      for (int h = 0; h < texts.length; h++) {
        texts[h] = new BytePointer(text(HEADERS.get(h)));
        names[h] = new BytePointer(HEADERS.get(h));
      }
      _nvrtcProgram program = new _nvrtcProgram();
      check(
          nvrtc.nvrtcCreateProgram(
              program,
              new BytePointer(text(MAIN)),
              new BytePointer(MAIN),
              texts.length,
              new PointerPointer<>(texts),
              new PointerPointer<>(names)),
          "");
      PointerPointer<?> options =
          new PointerPointer<>(
              new BytePointer("--gpu-architecture=" + architecture),
              new BytePointer("--std=c++17"));
      int status = nvrtc.nvrtcCompileProgram(program, 2, options);
      check(status, status == 0 ? "" : ": " + log(program));
      SizeTPointer size = new SizeTPointer(1);
      check(nvrtc.nvrtcGetCUBINSize(program, size), "");
      byte[] image = new byte[Math.toIntExact(size.get())];
      check(nvrtc.nvrtcGetCUBIN(program, image), "");
      nvrtc.nvrtcDestroyProgram(program);
      return image;
    }
  }

  private static String log(_nvrtcProgram program) {
    SizeTPointer size = new SizeTPointer(1);
    nvrtc.nvrtcGetProgramLogSize(program, size);
    byte[] log = new byte[Math.toIntExact(size.get())];
    nvrtc.nvrtcGetProgramLog(program, log);
    return new String(log, StandardCharsets.UTF_8).trim();
  }

  private static String text(String name) throws IOException {
    return Resources.toString(
        Resources.getResource(CudaImage.class, FOLDER + name), StandardCharsets.UTF_8);
  }

  private static void check(int status, String detail) {
    if (status != 0) {
      throw new IllegalStateException("NVRTC failed with error " + status + detail);
    }
  }
}
