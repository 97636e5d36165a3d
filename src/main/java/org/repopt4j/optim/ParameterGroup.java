package org.repopt4j.optim;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.Tensors;

/**
 * Named parameters that share a weight decay and a factor of the learning rate, in a fixed order.
 * Immutable; it holds handles of its own, so that the caller's may be closed.
 */
public final class ParameterGroup {
  private final ImmutableMap<String, Tensor> parameters;
  private final double weightDecay;
  private final double learningRateScale;

  private ParameterGroup(
      ImmutableMap<String, Tensor> parameters, double weightDecay, double learningRateScale) {
    this.parameters = parameters;
    this.weightDecay = weightDecay;
    this.learningRateScale = learningRateScale;
  }

  /**
   * A group whose learning rate is the optimizer's.
   *
   * @param named leaf tensors that require a gradient, by name, in the order to keep
   * @param weightDecay the factor of the parameter in weight decay, at least 0
   * @throws IllegalArgumentException if a parameter is none that can be trained, or if the weight
   *     decay is negative or not finite
   */
  public static ParameterGroup of(Map<String, Tensor> named, double weightDecay) {
    Checks.notNegative("weight decay", weightDecay);
    ImmutableMap.Builder<String, Tensor> parameters = ImmutableMap.builder();
    named.forEach((name, tensor) -> parameters.put(name, own(name, tensor)));
    return new ParameterGroup(parameters.buildOrThrow(), weightDecay, 1.0);
  }

  private static Tensor own(String name, Tensor tensor) {
    checkArgument(!name.isEmpty(), "a parameter needs a name, got an empty one");
    checkArgument(
        tensor != null && !tensor.isNull() && tensor.defined(),
        "parameter '%s' is an undefined tensor",
        name);
    checkArgument(
        tensor.is_floating_point(),
        "parameter '%s' must have a floating-point type, got: %s",
        name,
        Tensors.type(tensor));
    checkArgument(
        tensor.is_leaf(),
        "parameter '%s' is not a leaf: it is the result of a computation, so nothing can be stored in it; pass the tensor that it was computed from",
        name);
    checkArgument(
        tensor.requires_grad(),
        "parameter '%s' does not require a gradient; call requires_grad_(true) on it or leave it out",
        name);
    return Retained.retain(new Tensor(tensor));
  }

  /**
   * The same parameters with another factor of the optimizer's learning rate.
   *
   * @param scale finite, at least 0
   */
  public ParameterGroup withLearningRateScale(double scale) {
    return new ParameterGroup(
        parameters, weightDecay, Checks.notNegative("learning rate scale", scale));
  }

  /** The parameters by name, in order. */
  public Map<String, Tensor> parameters() {
    return parameters;
  }

  /** The factor of the parameter in weight decay. */
  public double weightDecay() {
    return weightDecay;
  }

  /** What the optimizer's learning rate is multiplied by for this group. */
  public double learningRateScale() {
    return learningRateScale;
  }

  @Override
  public String toString() {
    return "ParameterGroup"
        + parameters.keySet()
        + "(weightDecay="
        + weightDecay
        + ", learningRateScale="
        + learningRateScale
        + ")";
  }
}
