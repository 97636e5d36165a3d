package org.repopt4j.runtime;

import java.util.Optional;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.cuda.CUDAEvent;
import org.bytedeco.pytorch.cuda.CUDAStream;
import org.bytedeco.pytorch.global.torch_cuda;

/**
 * A CUDA stream beside the one that computes, for copies that go on while it does.
 *
 * <pre>{@code
 * CopyStream.Arrival arrival = copies.begin(() -> there = here.to(...));
 * ...                                     // what is asked of the device here does not wait
 * arrival.await(there);                   // what is asked from here on does, on the device
 * }</pre>
 */
public final class CopyStream {
  private final byte device;
  private final CUDAStream stream;

  private CopyStream(byte device) {
    this.device = device;
    this.stream = Retained.retain(torch_cuda.getStreamFromPool(false, device));
  }

  /**
   * One of libtorch's streams of a CUDA device. There is none on other devices, nor where the
   * presets' CUDA classes do not load ({@code libcusolverMg} is missing).
   */
  public static Optional<CopyStream> of(Device device) {
    if (!device.is_cuda()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new CopyStream(device.index()));
    } catch (LinkageError e) {
      return Optional.empty();
    }
  }

  /**
   * Does what asks for the copies, with this stream as the thread's current one. The tensors made
   * meanwhile are of this stream: others must {@linkplain Arrival#await await} them.
   */
  public Arrival begin(Runnable copies) {
    try (StepScope scope = StepScope.open()) {
      CUDAStream before = torch_cuda.getCurrentCUDAStream(device);
      torch_cuda.setCurrentCUDAStream(stream);
      try {
        copies.run();
      } finally {
        torch_cuda.setCurrentCUDAStream(before);
      }
      CUDAEvent event = Retained.retain(new CUDAEvent());
      event.record(stream);
      return new Arrival(device, event);
    }
  }

  /** The moment on the device at which the copies are done. */
  public static final class Arrival implements AutoCloseable {
    private final byte device;
    private final CUDAEvent event;

    private Arrival(byte device, CUDAEvent event) {
      this.device = device;
      this.event = event;
    }

    /**
     * Lets the thread's current stream wait for it; the thread does not. The memory of the tensors
     * is not used for others before that stream has done what it was asked for until they are
     * freed.
     */
    public void await(Tensor... tensors) {
      try (StepScope scope = StepScope.open()) {
        CUDAStream current = torch_cuda.getCurrentCUDAStream(device);
        event.block(current);
        for (Tensor tensor : tensors) {
          tensor.record_stream(current.unwrap());
        }
      }
    }

    @Override
    public void close() {
      event.close();
    }
  }
}
