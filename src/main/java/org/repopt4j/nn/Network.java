package org.repopt4j.nn;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.Lists;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.GradMults;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * A network for the classification of images, in one of its {@link Mode modes}; made by an {@link
 * Architecture}.
 */
public abstract class Network extends Layer {
  private final Architecture architecture;
  private final Mode mode;
  private final int numClasses;

  Network(String typeName, Architecture architecture, Mode mode, int numClasses) {
    super(typeName);
    this.architecture = architecture;
    this.mode = mode;
    this.numClasses = numClasses;
  }

  /**
   * The logits of a batch.
   *
   * @param images {@code [n, 3, h, w]}, floating-point, on the network's device
   * @return {@code [n, classes]}
   * @throws IllegalArgumentException if the images have another shape
   */
  @Override
  public final Tensor forward(Tensor images) {
    checkArgument(
        images.dim() == 4 && images.size(1) == 3,
        "images must have the shape [n, 3, h, w], got: %s",
        (Object) Arrays.toString(Tensors.shape(images)));
    return logits(images);
  }

  private Tensor logits(Tensor images) {
    Tensor features = images;
    for (List<UnaryOperator<Tensor>> stage : stages()) {
      for (UnaryOperator<Tensor> block : stage) {
        features = block.apply(features);
      }
    }
    return head(features);
  }

  /**
   * The blocks, whose outputs have one size within a stage; none of them draws a random number or
   * changes its input.
   */
  abstract List<List<UnaryOperator<Tensor>>> stages();

  /** The logits of the last block's output. */
  public abstract Tensor head(Tensor features);

  /**
   * What comes before {@link #head} in runs of blocks, each for the output of the one before it. A
   * stage of n blocks is cut into about √n runs of about √n blocks: whoever keeps the inputs of all
   * runs and what goes on within one of them at a time needs the least memory then (Chen et al.,
   * arXiv 1604.06174), as outputs have one size within a stage.
   */
  public final List<UnaryOperator<Tensor>> segments() {
    ImmutableList.Builder<UnaryOperator<Tensor>> segments = ImmutableList.builder();
    for (List<UnaryOperator<Tensor>> stage : stages()) {
      int run = (int) Math.ceil(Math.sqrt(stage.size()));
      for (List<UnaryOperator<Tensor>> blocks : Lists.partition(stage, run)) {
        segments.add(
            input -> {
              Tensor output = input;
              for (UnaryOperator<Tensor> block : blocks) {
                output = block.apply(output);
              }
              return output;
            });
      }
    }
    return segments.build();
  }

  /** Every convolution with what belongs to it, in the same order in all modes. */
  abstract Stream<LinearAddition> linearAdditions();

  /** The architecture that this network was made from. */
  public final Architecture architecture() {
    return architecture;
  }

  /** The form that this network has. */
  public final Mode mode() {
    return mode;
  }

  /** The number of logits of an image. */
  public final int numClasses() {
    return numClasses;
  }

  /**
   * The blocks whose equivalent convolutions this target network consists of.
   *
   * @throws IllegalArgumentException if the mode is not {@link Mode#TARGET}, or if the scales do
   *     not fit
   */
  public final List<PlacedBlock> cslaBlocks(Scales scales) {
    checkArgument(
        mode == Mode.TARGET, "RepOptimizers train the target network; this one's mode is %s", mode);
    scales.checkFits(architecture);
    Map<String, Tensor> state = stateDict();
    return architecture.blocks().stream()
        .map(
            spec ->
                new PlacedBlock(
                    spec.name(),
                    state.get(spec.weightName()),
                    spec.block(scales.block(spec.name()))))
        .collect(ImmutableList.toImmutableList());
  }

  /**
   * The Grad Mults of the blocks' kernels (rule of iteration), without touching a weight.
   *
   * @throws IllegalArgumentException as {@link #cslaBlocks}
   */
  public final GradMults gradMults(Scales scales) {
    GradMults mults = GradMults.none();
    for (PlacedBlock block : cslaBlocks(scales)) {
      mults = mults.and(block.weight(), block.block().gradMult());
    }
    return mults;
  }

  /**
   * {@link #reinitialize(Scales, boolean)} whose identities begin at the searched scales, as
   * official training does.
   */
  public final GradMults reinitialize(Scales scales) {
    return reinitialize(scales, true);
  }

  /**
   * Carries out the rule of initialization once (official {@code reinitialize()}): each block's
   * kernel becomes that of a CSLA block with these scales, this kernel as its KxK branch and a
   * fresh 1x1 kernel, drawn from libtorch's default generator in the official order.
   *
   * @param useIdentityScales whether the identities begin at the searched scales, otherwise at 1
   * @return the rule of iteration, for the optimizer
   * @throws IllegalArgumentException if the mode is not {@link Mode#TARGET}, if the scales do not
   *     fit, or if a BN shows that the network has been trained
   */
  public final GradMults reinitialize(Scales scales, boolean useIdentityScales) {
    return new RuleOfInitialization(this, scales, useIdentityScales).withFreshPointwiseKernels();
  }

  /**
   * {@link #reinitialize(Scales, boolean)} with these 1x1 kernels instead of fresh ones.
   *
   * @param pointwiseKernels one {@code [out, in, 1, 1]} for each block that has a 1x1 branch, in
   *     order; none for RepOpt-GhostNet
   */
  public final GradMults reinitialize(
      Scales scales, boolean useIdentityScales, List<Tensor> pointwiseKernels) {
    return new RuleOfInitialization(this, scales, useIdentityScales)
        .withPointwiseKernels(pointwiseKernels);
  }

  /** {@link #setScales(Scales, boolean)} whose identities begin at the searched scales. */
  public final void setScales(Scales scales) {
    setScales(scales, true);
  }

  /**
   * Gives the branches of a csla network their constant scales, and its identities their beginning;
   * likewise the scales of an hs network.
   *
   * @param useIdentityScales whether the identities begin at the searched scales, otherwise at 1
   * @throws IllegalArgumentException if the mode is neither csla nor hs, or if they do not fit
   */
  public final void setScales(Scales scales, boolean useIdentityScales) {
    checkArgument(
        mode.hasScales(), "scales are in networks of the modes hs and csla, got: %s", mode);
    scales.checkFits(architecture);
    Map<String, Tensor> state = stateDict();
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      scales.toStateDict().forEach((name, values) -> state.get(name).copy_(values));
      if (!useIdentityScales) {
        for (BlockSpec spec : architecture.blocks()) {
          if (spec.hasIdentity()) {
            Tensor identity = state.get(spec.identityName());
            identity.copy_(identity.new_ones(identity.size(0)));
          }
        }
      }
    }
  }

  @Override
  public final String toString() {
    return architecture.spec() + "-" + mode + "[" + numClasses + " classes]";
  }
}
