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
record ForwardPass(ComputeDevice device, Precision precision) {

  /** The network's output for the batch's images, in the images' own type: {@code [n, classes]}. */
  Tensor logits(Network network, Batch batch) {
    Tensor images = moved(batch.images());
    if (precision == Precision.FP32) {
      return network.forward(images);
    }
    try (Autocast autocast = Autocast.bf16(device)) {
      return network.forward(images).to(batch.images().scalar_type());
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
