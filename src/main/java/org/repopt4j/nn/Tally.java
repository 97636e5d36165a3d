package org.repopt4j.nn;

import org.repopt4j.csla.KernelShape;

/** Counts parameters and multiply-adds along a network that is not built. */
final class Tally {
  private long side;
  private long parameters;
  private long multiplyAdds;

  /** Begins with a square image. */
  Tally(int imageSize) {
    this.side = imageSize;
  }

  private long sideAfter(KernelShape shape) {
    return (side + 2L * shape.paddingH() - shape.kh()) / shape.stride() + 1;
  }

  private static long weights(KernelShape shape) {
    return (long) shape.out() * shape.inPerGroup() * shape.kh() * shape.kw();
  }

  /** A convolution that others stand beside: the image stays as it is. */
  void branch(KernelShape shape) {
    long after = sideAfter(shape);
    parameters += weights(shape);
    multiplyAdds += weights(shape) * after * after;
  }

  /** A convolution without bias. */
  void conv(KernelShape shape) {
    branch(shape);
    side = sideAfter(shape);
  }

  /** A convolution and its BN, or its bias where that is folded. */
  void convBn(KernelShape shape, Mode mode) {
    conv(shape);
    normOrBias(shape.out(), mode);
  }

  /** Weight and bias of a BN, or the bias that is left of it. */
  void normOrBias(int channels, Mode mode) {
    parameters += mode == Mode.DEPLOY ? channels : 2L * channels;
  }

  /** Parameters that take part in no counted product. */
  void parameters(long count) {
    parameters += count;
  }

  /** A product of a vector with a matrix, and a bias. */
  void linear(long in, long out) {
    parameters += in * out + out;
    multiplyAdds += in * out;
  }

  /** Squeeze-and-excitation: two linear layers, as the image is one pixel there. */
  void squeezeExcite(int channels, int reduced) {
    linear(channels, reduced);
    linear(reduced, channels);
  }

  /** The global average leaves one pixel. */
  void pool() {
    side = 1;
  }

  long parameters() {
    return parameters;
  }

  long multiplyAdds() {
    return multiplyAdds;
  }
}
