package org.repopt4j.optim;

/**
 * How an optimizer's arithmetic is carried out. On a CPU the results of both are bit-equal for SGD,
 * for the official AdamW and for parameters without a Grad Mult; for the exact AdamW they differ by
 * rounding, an ulp or so a step.
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
  };

  abstract UpdateEngine update();
}
