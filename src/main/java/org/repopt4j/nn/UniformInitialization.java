package org.repopt4j.nn;

import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.Tensors;

/**
 * The initial values of {@code torch.nn.Conv2d} and {@code torch.nn.Linear} ({@code
 * reset_parameters}), drawn from libtorch's default CPU generator and equal to Python's bit for
 * bit.
 */
final class UniformInitialization {
  private UniformInitialization() {}

  /** {@code kaiming_uniform_(weight, a=√5)}; the shape begins {@code [out, in/groups]}. */
  static Tensor weight(long... shape) {
    // Python computes the bound in these steps; 1/√fan_in would differ in the last bit.
    double a = Math.sqrt(5);
    double gain = Math.sqrt(2.0 / (1 + a * a));
    double deviation = gain / Math.sqrt(fanIn(shape));
    return uniform(Math.sqrt(3.0) * deviation, shape);
  }

  /** Uniform in {@code ±1/√fan_in} of the weight of this shape. */
  static Tensor bias(long out, long... weightShape) {
    return uniform(1 / Math.sqrt(fanIn(weightShape)), out);
  }

  private static double fanIn(long[] shape) {
    double fanIn = 1;
    for (int i = 1; i < shape.length; i++) {
      fanIn *= shape[i];
    }
    return fanIn;
  }

  private static Tensor uniform(double bound, long... shape) {
    Tensor tensor = Tensors.empty(ScalarType.Float, Tensors.cpu(), shape);
    try (NoGrad noGrad = NoGrad.open();
        GeneratorOptional standard = new GeneratorOptional()) {
      tensor.uniform_(-bound, bound, standard);
    }
    return tensor;
  }
}
