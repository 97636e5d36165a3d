package org.repopt4j.optim;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkNotNull;

import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.GradMults;

/**
 * What SGD and AdamW have in common before they are built.
 *
 * @param <B> the builder itself
 */
public abstract sealed class RepOptimizerBuilder<B extends RepOptimizerBuilder<B>>
    permits SgdBuilder, AdamWBuilder {
  private final ParameterGroups groups;
  private final Map<String, Tensor> named;
  private double weightDecay;
  private double learningRate = 1e-3;
  private GradMults gradMults = GradMults.none();
  private Engine engine = Engine.FUSED;
  private boolean masterWeights;

  RepOptimizerBuilder(ParameterGroups groups) {
    this.groups = checkNotNull(groups, "groups");
    this.named = null;
  }

  RepOptimizerBuilder(Map<String, Tensor> named, double weightDecay) {
    this.groups = null;
    this.named = checkNotNull(named, "named");
    this.weightDecay = weightDecay;
  }

  abstract B self();

  abstract UpdateOptions options();

  /** The learning rate of {@link RepOptimizer#step()}; 0.001 if not set. Finite, at least 0. */
  public B lr(double value) {
    learningRate = Checks.notNegative("learning rate", value);
    return self();
  }

  /**
   * The weight decay of all parameters. Finite, at least 0.
   *
   * @throws IllegalArgumentException if the optimizer is for {@link ParameterGroups}, which have
   *     their own
   */
  public B weightDecay(double value) {
    checkArgument(
        groups == null,
        "the parameter groups have their own weight decay; set it there instead of weightDecay(%s)",
        value);
    weightDecay = Checks.notNegative("weight decay", value);
    return self();
  }

  /** Adds the Grad Mult of one parameter. */
  public B gradMult(Tensor parameter, GradMult mult) {
    gradMults = gradMults.and(parameter, mult);
    return self();
  }

  /** The Grad Mults of a network, in the place of all that were given before. */
  public B gradMults(GradMults mults) {
    gradMults = checkNotNull(mults, "mults");
    return self();
  }

  /** What carries out the arithmetic; {@link Engine#FUSED} if not set. */
  public B engine(Engine value) {
    engine = checkNotNull(value, "engine");
    return self();
  }

  /**
   * Whether a bfloat16 or float16 parameter is trained through a float32 copy of it: the update is
   * computed on the copy, with float32 state, and the parameter is the copy rounded. Otherwise, as
   * if not set, steps smaller than the parameter's precision are lost.
   */
  public B masterWeights(boolean on) {
    masterWeights = on;
    return self();
  }

  /**
   * The optimizer, with no state yet.
   *
   * @throws IllegalArgumentException if there is no parameter, if one is given twice or cannot be
   *     trained, if a Grad Mult belongs to none of them, or if the hyper-parameters do not fit
   *     together
   */
  public RepOptimizer build() {
    ParameterGroups all =
        groups != null ? groups : ParameterGroups.of(ParameterGroup.of(named, weightDecay));
    return new RepOptimizer(all, gradMults, options(), engine, masterWeights, learningRate);
  }
}
