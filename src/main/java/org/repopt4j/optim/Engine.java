package org.repopt4j.optim;

/**
 * How an optimizer's arithmetic is carried out. Results differ by rounding only: {@link #REFERENCE}
 * and {@link #MULTI_TENSOR} are bit-equal on a CPU for SGD, for the official AdamW and for
 * parameters without a Grad Mult, as the official code's are; {@link #FUSED} rounds less often.
 */
public enum Engine {
  /** Tensor by tensor, as the formulas read. */
  REFERENCE {
    @Override
    UpdateEngine update() {
      return new ReferenceUpdate();
    }
  },
  /**
   * All tensors of a group in one call of libtorch's {@code _foreach_} operators: few kernel
   * launches on a CUDA device.
   */
  MULTI_TENSOR {
    @Override
    UpdateEngine update() {
      return new MultiTensorUpdate();
    }
  },
  /**
   * All parameters in one pass over the memory by code of our own, which computes in float64 and
   * rounds once. What it does not take, or where there is no such code ({@link
   * org.repopt4j.runtime.UpdateKernels}), goes the way of {@link #MULTI_TENSOR}.
   */
  FUSED {
    @Override
    UpdateEngine update() {
      return new FusedUpdate();
    }
  };

  abstract UpdateEngine update();
}
