package org.repopt4j.optim;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Tensors;

/** The extras of a step as passes of their own, for one parameter. */
final class SeparatePasses {
  private SeparatePasses() {}

  /** The gradient as the update needs it: of the updated tensor's type, unscaled, of its sign. */
  static Tensor gradient(ParameterState state, boolean maximize, StepExtras extras) {
    Tensor grad = state.parameter().grad();
    if (Tensors.type(grad) != Tensors.type(state.updated())) {
      grad = grad.to(Tensors.type(state.updated()));
    }
    double factor = factor(maximize, extras);
    return factor == 1 ? grad : grad.mul(new Scalar(factor));
  }

  /** What a gradient is multiplied by. */
  static double factor(boolean maximize, StepExtras extras) {
    return (maximize ? -1 : 1) / extras.gradientScale();
  }

  /** What is left to do once the tensor has been updated. */
  static void after(ParameterState state, StepExtras extras) {
    if (state.hasMaster()) {
      state.parameter().copy_(state.updated());
    }
    average(state, extras);
    if (extras.zeroGradients()) {
      state.parameter().grad().zero_();
    }
  }

  static void average(ParameterState state, StepExtras extras) {
    extras
        .average(state)
        .ifPresent(
            average -> average.lerp_(state.updated(), new Scalar(1 - extras.averageDecay())));
  }
}
