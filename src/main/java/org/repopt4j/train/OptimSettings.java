package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkNotNull;

import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.Network;
import org.repopt4j.optim.ParameterGroups;
import org.repopt4j.optim.RepOptimizer;

/**
 * How a step is made.
 *
 * @param opt SGD or AdamW, with either reading of AdamW's Grad Mult ({@code --opt})
 * @param lr learning rate for a batch of 256 images ({@code --lr}); the real one is in proportion
 *     to the batch
 * @param momentum SGD's momentum ({@code --momentum})
 * @param beta1 AdamW's decay of the first moment ({@code --opt-betas})
 * @param beta2 AdamW's decay of the second moment ({@code --opt-betas})
 * @param eps AdamW's ε ({@code --opt-eps})
 * @param weightDecay weight decay of what is neither one-dimensional nor a bias ({@code
 *     --weight-decay})
 * @param clipGrad largest L2 norm of the whole gradient, 0 for none ({@code --clip-grad})
 * @param clipWithGradMults clip although Grad Mults are in use ({@code
 *     --allow-clip-with-grad-mults})
 * @param gradAccumSteps batches whose gradients make one step ({@code --grad-accum-steps})
 * @param smoothing label smoothing ({@code --smoothing})
 */
public record OptimSettings(
    UpdateRule opt,
    double lr,
    double momentum,
    double beta1,
    double beta2,
    double eps,
    double weightDecay,
    double clipGrad,
    boolean clipWithGradMults,
    int gradAccumSteps,
    double smoothing) {

  /** Checks the numbers. */
  public OptimSettings {
    checkNotNull(opt, "opt");
    checkArgument(lr > 0 && Double.isFinite(lr), "--lr must be a positive number, got: %s", lr);
    checkArgument(
        momentum >= 0 && momentum < 1, "--momentum must be from 0 to below 1, got: %s", momentum);
    checkArgument(
        beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1,
        "--opt-betas must both be from 0 to below 1, got: %s,%s",
        beta1,
        beta2);
    checkArgument(
        eps > 0 && Double.isFinite(eps), "--opt-eps must be a positive number, got: %s", eps);
    checkArgument(
        weightDecay >= 0 && Double.isFinite(weightDecay),
        "--weight-decay must be at least 0, got: %s",
        weightDecay);
    checkArgument(
        clipGrad >= 0 && Double.isFinite(clipGrad),
        "--clip-grad must be at least 0, got: %s",
        clipGrad);
    checkArgument(
        gradAccumSteps >= 1 && gradAccumSteps <= 65536,
        "--grad-accum-steps must be from 1 to 65536, got: %s",
        gradAccumSteps);
    checkArgument(
        smoothing >= 0 && smoothing < 1,
        "--smoothing must be from 0 to below 1, got: %s",
        smoothing);
  }

  /** Refuses clipping, unless it was allowed for this: for runs with Grad Mults. */
  void checkClippingWithGradMults() {
    checkArgument(
        clipGrad == 0 || clipWithGradMults,
        "--clip-grad %s cannot go with Grad Mults: clipping between gradient and Grad Mult breaks the equality with the CSLA"
            + " block; leave it out, or add --allow-clip-with-grad-mults for an ablation",
        clipGrad);
  }

  /**
   * The optimizer of these settings, with the official parameter groups.
   *
   * @param lr the real rate
   * @param mults the Grad Mults of the network's parameters
   */
  RepOptimizer optimizer(Network network, double lr, GradMults mults) {
    var groups = ParameterGroups.official(network.namedParameters(), weightDecay);
    if (opt == UpdateRule.SGD) {
      return RepOptimizer.sgd(groups)
          .lr(lr)
          .momentum(momentum)
          .nesterov(momentum > 0)
          .gradMults(mults)
          .build();
    }
    return RepOptimizer.adamw(groups)
        .lr(lr)
        .betas(beta1, beta2)
        .eps(eps)
        .rule(opt)
        .gradMults(mults)
        .build();
  }
}
