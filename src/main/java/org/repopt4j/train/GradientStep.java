package org.repopt4j.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.optim.StepExtras;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.Operators;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.train.RunSettings.Precision;

/**
 * From gradients to the optimizer's step: of float16 losses the gradient scale ({@link
 * GradScaler}), and clipping. The scale is taken out in the update's own pass over the memory or,
 * where gradients are clipped, before that.
 *
 * <p>In float16 a step waits for the device, for the four bytes that say whether a gradient
 * overflowed: the update must not begin otherwise. In the other precisions it does not wait.
 */
public final class GradientStep {
  /** Half the smallest number that a float16 gradient can be: below, the scale is not the cause. */
  private static final double SMALLEST_SCALE = 0x1p-25;

  private final RepOptimizer optimizer;
  private final List<Tensor> parameters;
  private final boolean scales;
  private final double clipGrad;
  private GradScaler scaler = GradScaler.START;

  /**
   * Steps of this optimizer.
   *
   * @param parameters all that are trained, in the network's order
   * @param clipGrad largest L2 norm of the whole gradient, 0 for none
   */
  public GradientStep(
      RepOptimizer optimizer,
      Map<String, Tensor> parameters,
      Precision precision,
      double clipGrad) {
    this.optimizer = optimizer;
    this.parameters = new ArrayList<>(parameters.values());
    this.scales = precision == Precision.FP16;
    this.clipGrad = clipGrad;
  }

  /** The loss whose gradients the step wants. */
  public Tensor scaled(Tensor loss) {
    return scales ? loss.mul(new Scalar(scaler.scale())) : loss;
  }

  /**
   * One update with the gradients that are there. If one of them is infinite or no number it is
   * left out: then nothing has changed but the scale.
   *
   * @return whether it was made
   * @throws TrainingDivergedException if the gradients overflow whatever the scale
   */
  public boolean step(double rate, StepExtras extras) {
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      boolean clips = clipGrad > 0;
      List<Tensor> gradients = scales || clips ? gradients() : List.of();
      StepExtras all = extras;
      if (scales) {
        double scale = scaler.scale();
        boolean overflow = !gradients.isEmpty() && !isFinite(gradients, clips ? scale : 1);
        scaler = scaler.after(overflow);
        if (overflow) {
          checkScale();
          return false;
        }
        all = clips ? extras : extras.gradientScale(scale);
      }
      if (clips && !gradients.isEmpty()) {
        clip(gradients, clipGrad);
      }
      optimizer.step(rate, all);
      return true;
    }
  }

  private List<Tensor> gradients() {
    List<Tensor> gradients = new ArrayList<>();
    for (Tensor parameter : parameters) {
      Tensor gradient = parameter.grad();
      if (gradient.defined()) {
        gradients.add(gradient);
      }
    }
    return gradients;
  }

  /** Divides the gradients by a number, in place, and says whether all are finite. */
  private static boolean isFinite(List<Tensor> gradients, double divisor) {
    Tensor like = gradients.get(0);
    Tensor found = Tensors.zeros(ScalarType.Float, like.device(), 1);
    Tensor factor =
        Tensors.empty(ScalarType.Float, like.device(), 1).fill_(new Scalar(1 / divisor));
    Operators.call(
        "aten::_amp_foreach_non_finite_check_and_unscale_",
        "",
        Operators.list(gradients),
        Operators.value(found),
        Operators.value(factor));
    return found.item_float() == 0;
  }

  /**
   * {@code torch.nn.utils.clip_grad_norm_} without waiting for the device to hand out the norm.
   *
   * @param gradients at least one
   */
  static void clip(List<Tensor> gradients, double largest) {
    Tensor[] norms = gradients.stream().map(Tensor::norm).toArray(Tensor[]::new);
    Tensor norm = norms.length == 1 ? norms[0] : torch.stack(new TensorVector(norms)).norm();
    Tensor factor =
        norm.add(new Scalar(1e-6)).reciprocal().mul(new Scalar(largest)).clamp_max(new Scalar(1.0));
    Operators.call(
        "aten::_foreach_mul_", "Tensor", Operators.list(gradients), Operators.value(factor));
  }

  private void checkScale() {
    if (scaler.scale() < SMALLEST_SCALE) {
      throw new TrainingDivergedException(
          "float16 gradients overflow at every scale down to "
              + scaler.scale()
              + "; lower --lr, lengthen --warmup-epochs, or use --precision bf16");
    }
  }

  /** Whether losses are scaled at all. */
  boolean scales() {
    return scales;
  }

  /** The scale of the next loss. */
  public GradScaler scaler() {
    return scaler;
  }

  /** Goes on with a scale that was read before. */
  void scaler(GradScaler saved) {
    scaler = saved;
  }
}
