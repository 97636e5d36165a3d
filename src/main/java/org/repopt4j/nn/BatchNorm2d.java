package org.repopt4j.nn;

import static com.google.common.base.Preconditions.checkArgument;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.Tensors;

/**
 * Batch normalisation of {@code [n, features, h, w]} over all but the channels, with the parameters
 * and buffers of {@code torch.nn.BatchNorm2d}, momentum 0.1 and ε 1e-5.
 */
public final class BatchNorm2d extends Layer {
  /** What is added to the variance. */
  public static final double EPSILON = 1e-5;

  private static final double MOMENTUM = 0.1;

  private final Tensor weight;
  private final Tensor bias;
  private final Tensor runningMean;
  private final Tensor runningVar;
  private final Tensor batches;
  private final TensorOptional weightArgument;
  private final TensorOptional biasArgument;
  private final TensorOptional meanArgument;
  private final TensorOptional varArgument;
  private final Scalar one;

  /** Weight and running variance 1, bias and running mean 0. */
  public BatchNorm2d(int features) {
    super("BatchNorm2d");
    weight = parameter("weight", Tensors.ones(ScalarType.Float, Tensors.cpu(), features));
    bias = parameter("bias", Tensors.zeros(ScalarType.Float, Tensors.cpu(), features));
    runningMean = buffer("running_mean", Tensors.zeros(ScalarType.Float, Tensors.cpu(), features));
    runningVar = buffer("running_var", Tensors.ones(ScalarType.Float, Tensors.cpu(), features));
    batches = buffer("num_batches_tracked", Tensors.zeros(ScalarType.Long, Tensors.cpu()));
    weightArgument = owned(Tensors.optional(weight));
    biasArgument = owned(Tensors.optional(bias));
    meanArgument = owned(Tensors.optional(runningMean));
    varArgument = owned(Tensors.optional(runningVar));
    one = owned(new Scalar(1));
  }

  /**
   * Normalises by the batch's statistics and updates the running ones if in training, otherwise
   * normalises by the running ones.
   *
   * @throws IllegalArgumentException in training, if there is only one value a channel
   */
  @Override
  public Tensor forward(Tensor input) {
    boolean training = is_training();
    if (training) {
      checkArgument(
          input.numel() > input.size(1),
          "batch normalisation in training needs more than one value a channel, got the shape [%s, %s, %s, %s];"
              + " use a larger batch or image, or eval()",
          input.size(0),
          input.size(1),
          input.size(2),
          input.size(3));
      batches.add_(one);
    }
    return torch.batch_norm(
        input,
        weightArgument,
        biasArgument,
        meanArgument,
        varArgument,
        training,
        MOMENTUM,
        EPSILON,
        /* cudnn_enabled= */ true);
  }

  /** The learned factor γ, {@code [features]}. */
  public Tensor weight() {
    return weight;
  }

  /** The learned offset β, {@code [features]}. */
  public Tensor bias() {
    return bias;
  }

  /** The running mean, {@code [features]}. */
  public Tensor runningMean() {
    return runningMean;
  }

  /** The running variance, {@code [features]}. */
  public Tensor runningVar() {
    return runningVar;
  }
}
