package org.repopt4j.train;

import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.NativeErrors;
import org.repopt4j.train.RunSettings.Precision;

/** A step does not fit into the memory of its device; the message says which, and the ways out. */
public final class MemoryUsedUpException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private MemoryUsedUpException(String sentence, Throwable cause) {
    super(sentence, cause);
  }

  /** The error of a training step: itself, or this one in its place if memory is what it lacks. */
  public static Throwable inTraining(
      Throwable error,
      ComputeDevice device,
      int batchSize,
      boolean recompute,
      Precision precision) {
    StringBuilder ways = new StringBuilder("lower it");
    if (!recompute) {
      ways.append(", add --recompute");
    }
    if (precision.autocast().isEmpty()) {
      ways.append(", or use --precision bf16");
    }
    if (device.isCuda()) {
      ways.append(" ('repopt bench --find-batch' finds the largest batch that fits)");
    }
    return of(error, device, "--batch-size", batchSize, ways.toString());
  }

  /** The same for a forward pass alone. */
  public static Throwable inEvaluation(
      Throwable error, ComputeDevice device, String option, long batchSize) {
    return of(error, device, option, batchSize, "lower it");
  }

  private static Throwable of(
      Throwable error, ComputeDevice device, String option, long batchSize, String ways) {
    if (error instanceof MemoryUsedUpException || !NativeErrors.isOutOfMemory(error)) {
      return error;
    }
    return new MemoryUsedUpException(
        "the memory of "
            + device
            + " is used up at "
            + option
            + " "
            + batchSize
            + "; "
            + ways
            + ": "
            + NativeErrors.sentence(error),
        error);
  }
}
