package org.repopt4j.csla;

/**
 * Which optimizer the single convolution is trained with, and so how a {@link GradMult} enters its
 * step.
 */
public enum UpdateRule {
  /**
   * SGD with momentum: the gradient times {@code Σ s²} (paper, proposition 1; official {@code
   * repoptimizer_sgd.py}). Exact.
   */
  SGD,
  /**
   * AdamW as the official {@code repoptimizer_adamw.py} computes it: the gradient and the first
   * moment's contribution, each times {@code Σ s}. Exact (up to ε) where all scales that meet at an
   * element have one sign; kept for parity where they have not.
   */
  ADAMW_OFFICIAL,
  /**
   * AdamW equal to the block for any scales: the step is {@code Σ s·(s m)/(|s|√v + ε)} over the
   * branches, from the plain moments.
   */
  ADAMW_EXACT
}
