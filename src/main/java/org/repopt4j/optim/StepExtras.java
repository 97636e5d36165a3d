package org.repopt4j.optim;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableMap;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * What a step does beside the update, in the same pass over the memory where the engine can: the
 * results are those of separate passes before and after it. Immutable.
 *
 * <pre>{@code
 * StepExtras extras = StepExtras.NONE.gradientScale(65536).zeroingGradients();
 * optimizer.step(rate, extras);
 * }</pre>
 */
public final class StepExtras {
  /** Nothing but the update. */
  public static final StepExtras NONE = new StepExtras(1, false, ImmutableMap.of(), 0);

  private final double gradientScale;
  private final boolean zeroGradients;
  private final ImmutableMap<String, Tensor> averages;
  private final double averageDecay;

  private StepExtras(
      double gradientScale,
      boolean zeroGradients,
      ImmutableMap<String, Tensor> averages,
      double averageDecay) {
    this.gradientScale = gradientScale;
    this.zeroGradients = zeroGradients;
    this.averages = averages;
    this.averageDecay = averageDecay;
  }

  /**
   * The same for gradients of a loss that was multiplied by this scale: they are divided by it
   * before anything else. The gradients themselves stay as they are.
   *
   * @param scale finite, above 0
   */
  public StepExtras gradientScale(double scale) {
    checkArgument(
        Double.isFinite(scale) && scale > 0,
        "a gradient scale must be finite and above 0, got: %s",
        scale);
    return new StepExtras(scale, zeroGradients, averages, averageDecay);
  }

  /** The same, and the gradients that the step has used are then filled with zeros. */
  public StepExtras zeroingGradients() {
    return new StepExtras(gradientScale, true, averages, averageDecay);
  }

  /**
   * The same, and each of these averages then moves towards its parameter: {@code average ← decay ·
   * average + (1 − decay) · parameter}; that of a parameter without a gradient, too.
   *
   * @param byParameter for some or all of the optimizer's parameters, by name, a tensor of the
   *     parameter's shape, device and type (float32 where the parameter has a float32 master)
   * @param decay from 0 to 1
   */
  public StepExtras averaging(Map<String, Tensor> byParameter, double decay) {
    checkArgument(decay >= 0 && decay <= 1, "decay must be from 0 to 1, got: %s", decay);
    return new StepExtras(gradientScale, zeroGradients, ImmutableMap.copyOf(byParameter), decay);
  }

  double gradientScale() {
    return gradientScale;
  }

  boolean zeroGradients() {
    return zeroGradients;
  }

  Optional<Tensor> average(ParameterState state) {
    return Optional.ofNullable(averages.get(state.name()));
  }

  ImmutableMap<String, Tensor> averages() {
    return averages;
  }

  double averageDecay() {
    return averageDecay;
  }
}
