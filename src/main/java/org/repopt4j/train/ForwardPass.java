package org.repopt4j.train;

import org.bytedeco.pytorch.Tensor;
import org.repopt4j.data.Batch;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.Autocast;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.train.RunSettings.Precision;

/**
 * A batch through a network on one device in one precision; training and evaluation take the same.
 *
 * @param device where the network is
 * @param precision number format of convolutions and matrix products
 */
public record ForwardPass(ComputeDevice device, Precision precision) {

  /** The network's output for the batch's images, in the images' own type: {@code [n, classes]}. */
  Tensor logits(Network network, Batch batch) {
    return logits(network, batch.images());
  }

  /**
   * The network's output for images that may be anywhere, in the images' own type.
   *
   * @param images {@code [n, 3, h, w]}, floating-point
   * @return {@code [n, classes]}
   */
  public Tensor logits(Network network, Tensor images) {
    Tensor here = moved(images);
    if (precision == Precision.FP32) {
      return network.forward(here);
    }
    try (Autocast autocast = Autocast.bf16(device)) {
      return network.forward(here).to(images.scalar_type());
    }
  }

  /** The batch's labels on the device: {@code [n]}, int64. */
  Tensor labels(Batch batch) {
    return moved(batch.labels());
  }

  private Tensor moved(Tensor tensor) {
    return tensor.to(device.device(), tensor.scalar_type());
  }
}
