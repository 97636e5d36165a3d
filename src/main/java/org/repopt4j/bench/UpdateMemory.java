package org.repopt4j.bench;

import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.GradMult;
import org.repopt4j.csla.GradMults;

/**
 * What an optimizer keeps beside the weights.
 *
 * @param weightBytes of the parameters
 * @param gradMultBytes of the Grad Mults in compact form, one float64 for each branch and output
 *     channel
 * @param denseMaskBytes what masks as large as the kernels would take
 * @param stateBytes of momentum or moments
 */
public record UpdateMemory(
    long weightBytes, long gradMultBytes, long denseMaskBytes, long stateBytes) {

  static UpdateMemory of(Subject subject, long stateBytes) {
    long weights = 0;
    long compact = 0;
    long dense = 0;
    GradMults mults = subject.mults();
    for (Tensor parameter : subject.parameters().values()) {
      long bytes = parameter.numel() * Float.BYTES;
      weights += bytes;
      if (mults.of(parameter).isPresent()) {
        dense += bytes;
        compact += mults.of(parameter).map(GradMult::size).orElseThrow() * Double.BYTES;
      }
    }
    return new UpdateMemory(weights, compact, dense, stateBytes);
  }

  /** The compact form's part of the weights' size. */
  public double gradMultShare() {
    return (double) gradMultBytes / weightBytes;
  }

  /** The dense masks' part of the weights' size. */
  public double denseMaskShare() {
    return (double) denseMaskBytes / weightBytes;
  }
}
