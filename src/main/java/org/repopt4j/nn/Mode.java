package org.repopt4j.nn;

import com.google.common.base.Ascii;
import com.google.common.collect.ImmutableMap;

/** Which of its forms a network has. */
public enum Mode {
  /** The plain network that a RepOptimizer trains: one convolution and one BN a block. */
  TARGET("target"),
  /**
   * The CSLA network that the target is equivalent to: branches with constant scales. For checks.
   */
  CSLA("csla"),
  /** The CSLA network with trainable scales: hyper-search. */
  HS("hs"),
  /**
   * The baseline with one BN a branch and no scales: RepVGG ({@code repvgg} in the official code),
   * RepGhost ({@code rep}).
   */
  MULTI_BRANCH("multi-branch"),
  /** Every BN folded into its convolution: for inference only. */
  DEPLOY("deploy");

  private static final ImmutableMap<String, Mode> SPELLINGS =
      ImmutableMap.<String, Mode>builder()
          .put("target", TARGET)
          .put("csla", CSLA)
          .put("hs", HS)
          .put("multi-branch", MULTI_BRANCH)
          .put("repvgg", MULTI_BRANCH)
          .put("rep", MULTI_BRANCH)
          .put("deploy", DEPLOY)
          .buildOrThrow();

  private final String spelling;

  Mode(String spelling) {
    this.spelling = spelling;
  }

  /**
   * Reads a mode, in either official spelling, whatever its case.
   *
   * @throws IllegalArgumentException that lists the spellings
   */
  public static Mode parse(String text) {
    Mode mode = SPELLINGS.get(Ascii.toLowerCase(text.trim()).replace('_', '-'));
    if (mode == null) {
      throw new IllegalArgumentException(
          "mode must be one of " + String.join(", ", SPELLINGS.keySet()) + ", got: '" + text + "'");
    }
    return mode;
  }

  /** Whether its blocks hold branches and scales, trainable or constant. */
  public boolean hasScales() {
    return this == CSLA || this == HS;
  }

  /** The spelling that {@link #parse} reads. */
  @Override
  public String toString() {
    return spelling;
  }
}
