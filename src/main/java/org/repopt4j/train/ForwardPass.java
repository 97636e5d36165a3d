package org.repopt4j.train;

import java.util.Optional;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
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

  /**
   * Sets the precision for the process, too, where that is where libtorch has it.
   *
   * @throws IllegalArgumentException if the device has no such arithmetic
   */
  public ForwardPass {
    precision.apply(device);
  }

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
    return through(network::forward, moved(images)).to(images.scalar_type());
  }

  /** A layer's output in this precision, on the device. */
  Tensor through(UnaryOperator<Tensor> layer, Tensor input) {
    Optional<ScalarType> format = precision.autocast();
    if (format.isEmpty()) {
      return layer.apply(input);
    }
    try (Autocast autocast = Autocast.of(device, format.get())) {
      return layer.apply(input);
    }
  }

  /** The batch's labels on the device: {@code [n]}, int64. */
  Tensor labels(Batch batch) {
    return moved(batch.labels());
  }

  /** The tensor on the device: itself, if it is there. */
  Tensor moved(Tensor tensor) {
    return tensor.to(device.device(), tensor.scalar_type());
  }
}
