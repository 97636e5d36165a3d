package org.repopt4j.optim;

/** How an optimizer's arithmetic is carried out. Both compute the same function. */
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
