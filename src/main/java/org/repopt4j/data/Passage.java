package org.repopt4j.data;

import java.util.Optional;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.CopyStream;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * The way of batches to a device: as bytes, a quarter of what they are as float32, out of pinned
 * memory and beside what the device computes. There every byte is looked up in the same table as on
 * a CPU, so that the values are bit for bit the same. Immutable.
 */
final class Passage {
  private final Device device;
  private final Optional<CopyStream> copies;

  /** Every byte's value in every channel, {@code [channels * 256]}. */
  private final Tensor values;

  /** Where a channel's values begin, {@code [channels, 1, 1]}. */
  private final Tensor begins;

  /** The way to this device, which may also be the CPU. */
  Passage(Normalization normalization, Device device) {
    int channels = normalization.channels();
    float[] table = new float[channels * 256];
    long[] rows = new long[channels];
    for (int channel = 0; channel < channels; channel++) {
      rows[channel] = channel * 256L;
      for (int value = 0; value < 256; value++) {
        table[channel * 256 + value] = normalization.apply(channel, value);
      }
    }
    this.device = Retained.retain(new Device(device));
    this.copies = CopyStream.of(device);
    try (StepScope scope = StepScope.open()) {
      this.values = Retained.retain(Tensors.of(table, table.length).to(device, ScalarType.Float));
      this.begins = Retained.retain(Tensors.of(rows, channels, 1, 1).to(device, ScalarType.Int));
    }
  }

  /** Memory from which a copy need not be waited for. */
  Tensor room(ScalarType type, long... shape) {
    return device.is_cuda()
        ? Tensors.pinned(type, shape)
        : Tensors.empty(type, Tensors.cpu(), shape);
  }

  /** Images and labels on their way; both belong to the caller as soon as they {@link #arrive}. */
  final class Transit implements AutoCloseable {
    private Tensor images;
    private Tensor labels;
    private Optional<CopyStream.Arrival> arrival = Optional.empty();

    private Transit() {}

    private void copy(Tensor fromImages, Tensor fromLabels) {
      try (StepScope scope = StepScope.open()) {
        images = Retained.retain(onDevice(fromImages));
        labels = Retained.retain(onDevice(fromLabels));
      }
    }

    /** From here on, in the order of the thread's current stream, the values are there. */
    void arrive() {
      arrival.ifPresent(moment -> moment.await(images, labels));
      try (StepScope scope = StepScope.open();
          Tensor bytes = images) {
        images = Retained.retain(looked(bytes));
      }
    }

    Tensor images() {
      return images;
    }

    Tensor labels() {
      return labels;
    }

    /** Frees what the copy needed, not the tensors. */
    @Override
    public void close() {
      arrival.ifPresent(CopyStream.Arrival::close);
    }
  }

  /**
   * Begins the copy. The tensors may be closed at once: libtorch keeps pinned memory until the
   * device has read it.
   *
   * @param images uint8 {@code [n, channels, height, width]}
   * @param labels int64 {@code [n]}
   */
  Transit depart(Tensor images, Tensor labels) {
    Transit transit = new Transit();
    if (copies.isPresent()) {
      transit.arrival = Optional.of(copies.get().begin(() -> transit.copy(images, labels)));
    } else {
      transit.copy(images, labels);
    }
    return transit;
  }

  private Tensor onDevice(Tensor tensor) {
    return tensor.to(device, tensor.scalar_type(), true, false, new MemoryFormatOptional());
  }

  private Tensor looked(Tensor bytes) {
    Tensor places = bytes.add(begins);
    return values.index_select(0, places.view(-1)).view(Tensors.shape(bytes));
  }
}
