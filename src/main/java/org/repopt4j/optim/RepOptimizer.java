package org.repopt4j.optim;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;

/**
 * An optimizer that trains a plain network as if it still had the branches of its CSLA blocks
 * (paper, section 3.3): the gradient of a parameter meets its {@link GradMult} before weight decay,
 * momentum and learning rate. A parameter without a Grad Mult is updated as by {@code torch.optim}.
 *
 * <pre>{@code
 * RepOptimizer sgd = RepOptimizer.sgd(groups).momentum(0.9).nesterov(true).gradMults(mults).build();
 * try (StepScope step = StepScope.open()) {
 *   Tensor loss = ...;
 *   sgd.zeroGrad();
 *   loss.backward();
 *   sgd.step(schedule.forStep(n));
 * }
 * }</pre>
 *
 * <p>Gradients are read, never changed, unless {@link StepExtras} say so: after a step {@code
 * p.grad()} is what {@code backward} left there. Whoever clips gradients between {@code backward}
 * and {@code step} gives up the equality with the CSLA block, because the clipped norm is not the
 * block's.
 *
 * <p>Not for use by several threads at once.
 */
public final class RepOptimizer {
  private final ParameterGroups groups;
  private final ImmutableList<ParameterState> states;
  private final UpdateOptions options;
  private final UpdateEngine engine;
  private double learningRate;

  RepOptimizer(
      ParameterGroups groups,
      GradMults mults,
      UpdateOptions options,
      Engine engine,
      boolean masterWeights,
      double learningRate) {
    this.groups = groups;
    this.options = options;
    this.engine = engine.update();
    this.learningRate = learningRate;
    List<ParameterState> all = new ArrayList<>();
    int found = 0;
    for (ParameterGroup group : groups.groups()) {
      for (Map.Entry<String, Tensor> entry : group.parameters().entrySet()) {
        Optional<GradMult> mult = mults.of(entry.getValue());
        found += mult.isPresent() ? 1 : 0;
        all.add(new ParameterState(entry.getKey(), entry.getValue(), group, mult, masterWeights));
      }
    }
    checkArgument(
        found == mults.size(),
        "%s of the %s Grad Mults belong to parameters that are in no group; the optimizer must be given every parameter that has one",
        mults.size() - found,
        mults.size());
    this.states = ImmutableList.copyOf(all);
  }

  /** SGD for these groups, each with its own weight decay. */
  public static SgdBuilder sgd(ParameterGroups groups) {
    return new SgdBuilder(groups);
  }

  /** SGD for named parameters in one group. */
  public static SgdBuilder sgd(Map<String, Tensor> named) {
    return new SgdBuilder(named);
  }

  /** SGD for parameters in one group, named {@code 0}, {@code 1} … */
  public static SgdBuilder sgd(List<Tensor> parameters) {
    return new SgdBuilder(ParameterGroups.named(parameters));
  }

  /** SGD for parameters in one group, named {@code 0}, {@code 1} … */
  public static SgdBuilder sgd(TensorVector parameters) {
    return new SgdBuilder(ParameterGroups.named(parameters));
  }

  /** SGD for a module's parameters in one group; those that require no gradient are left out. */
  public static SgdBuilder sgd(Module module) {
    return new SgdBuilder(ParameterGroups.trainable(ParameterGroups.named(module)));
  }

  /** AdamW for these groups, each with its own weight decay. */
  public static AdamWBuilder adamw(ParameterGroups groups) {
    return new AdamWBuilder(groups);
  }

  /** AdamW for named parameters in one group. */
  public static AdamWBuilder adamw(Map<String, Tensor> named) {
    return new AdamWBuilder(named);
  }

  /** AdamW for parameters in one group, named {@code 0}, {@code 1} … */
  public static AdamWBuilder adamw(List<Tensor> parameters) {
    return new AdamWBuilder(ParameterGroups.named(parameters));
  }

  /** AdamW for parameters in one group, named {@code 0}, {@code 1} … */
  public static AdamWBuilder adamw(TensorVector parameters) {
    return new AdamWBuilder(ParameterGroups.named(parameters));
  }

  /** AdamW for a module's parameters in one group; those that require no gradient are left out. */
  public static AdamWBuilder adamw(Module module) {
    return new AdamWBuilder(ParameterGroups.trainable(ParameterGroups.named(module)));
  }

  /** One update at the rate that was last set. */
  public void step() {
    step(learningRate);
  }

  /**
   * One update at this rate, which stays set. A parameter whose gradient is undefined is left as it
   * is, and so is its state.
   *
   * @param rate finite, at least 0; a group may scale it
   * @throws IllegalArgumentException if the rate is neither, or if a gradient is sparse; then
   *     nothing has changed
   */
  public void step(double rate) {
    step(rate, StepExtras.NONE);
  }

  /**
   * One update at this rate, which stays set, with all that is to be done in the same pass.
   *
   * @param rate finite, at least 0; a group may scale it
   * @throws IllegalArgumentException if the rate is neither, if a gradient is sparse, or if an
   *     average is not of its parameter's kind; then nothing has changed
   */
  public void step(double rate, StepExtras extras) {
    Checks.notNegative("learning rate", rate);
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      List<ParameterState> ready = new ArrayList<>();
      List<ParameterState> resting = new ArrayList<>();
      int averages = 0;
      for (ParameterState state : states) {
        Optional<Tensor> average = extras.average(state);
        average.ifPresent(state::checkAverage);
        averages += average.isPresent() ? 1 : 0;
        Tensor grad = state.parameter().grad();
        checkArgument(
            !grad.defined() || !grad.is_sparse(),
            "the gradient of '%s' is sparse; only dense gradients can be used",
            state.name());
        (grad.defined() ? ready : resting).add(state);
      }
      checkArgument(
          averages == extras.averages().size(),
          "%s of the averages belong to no parameter of this optimizer",
          extras.averages().size() - averages);
      learningRate = rate;
      options.update(engine, ready, rate, extras);
      resting.forEach(state -> SeparatePasses.average(state, extras));
    }
  }

  /** Drops all gradients: they are undefined until the next {@code backward}. */
  public void zeroGrad() {
    for (ParameterState state : states) {
      state.parameter().mutable_grad().reset();
    }
  }

  /**
   * Drops all gradients or, to keep their memory, fills them with zeros. A gradient of zeros still
   * meets weight decay and momentum at the next step; an undefined one does not.
   *
   * @param setToNone whether to drop them
   */
  public void zeroGrad(boolean setToNone) {
    if (setToNone) {
      zeroGrad();
      return;
    }
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      for (ParameterState state : states) {
        Tensor grad = state.parameter().grad();
        if (grad.defined()) {
          grad.zero_();
        }
      }
    }
  }

  /** The rate of the last step, or the one that the optimizer was built with. */
  public double learningRate() {
    return learningRate;
  }

  /** The parameters that are trained. */
  public ParameterGroups groups() {
    return groups;
  }

  /** The rule by which a Grad Mult enters the update. */
  public UpdateRule rule() {
    return options.rule();
  }

  /**
   * A copy of all that the next step depends on besides parameters and gradients. The tensors are
   * new ones: steps to come do not change them, and like any tensor they are freed with the {@link
   * StepScope} that is open now, if there is one.
   */
  public OptimizerState state() {
    Map<String, Long> steps = new LinkedHashMap<>();
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try (NoGrad noGrad = NoGrad.open()) {
      for (ParameterState state : states) {
        if (state.steps() > 0) {
          steps.put(state.name(), state.steps());
        }
        if (state.hasMaster()) {
          tensors.put(state.name() + "." + ParameterState.MASTER, state.updated().clone());
        }
        for (String buffer : options.buffers()) {
          if (state.has(buffer)) {
            tensors.put(state.name() + "." + buffer, state.buffer(buffer).clone());
          }
        }
      }
    }
    return new OptimizerState(options.rule(), learningRate, steps, tensors);
  }

  /**
   * Goes on where {@code saved} was taken. The tensors' values are copied.
   *
   * @throws IllegalArgumentException if the state is that of another rule, if it names what this
   *     optimizer does not have, if a parameter's tensors are incomplete, or if a shape or type is
   *     not the parameter's; then nothing has changed
   */
  public void load(OptimizerState saved) {
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      StateLoading.load(saved, options, states);
    }
    learningRate = saved.learningRate();
  }
}
