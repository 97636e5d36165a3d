package org.repopt4j.bench;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.repopt4j.runtime.CudaMemory;

/**
 * What a measurement came to. Immutable.
 *
 * @param settings what was asked for
 * @param date when it began
 * @param machine where it was made
 * @param device the device and why it is that one
 * @param measurements the step first, then what it is compared with; empty if stopped too early
 * @param peakResident most bytes that the process held while it was measured, if the system tells
 * @param peakDevice the most memory of a CUDA device that was in use at once; of steps only
 * @param memory what the optimizer keeps; of updates only
 * @param limitBy what carried out the read-modify-write limit; of updates only
 * @param stopped whether it was stopped before its end
 */
public record BenchReport(
    BenchSettings settings,
    Instant date,
    Map<String, Object> machine,
    String device,
    List<Measurement> measurements,
    OptionalLong peakResident,
    Optional<CudaMemory.Peak> peakDevice,
    Optional<UpdateMemory> memory,
    Optional<String> limitBy,
    boolean stopped) {

  /** Copies the lists. */
  public BenchReport {
    measurements = ImmutableList.copyOf(measurements);
    machine = ImmutableMap.copyOf(machine);
  }

  /**
   * How many times as long as this one the step took, at the medians.
   *
   * @param other its place among the measurements
   */
  public double timesAsLongAs(int other) {
    checkArgument(other < measurements.size(), "there is no measurement %s", other);
    return measurements.get(0).timing().median() / measurements.get(other).timing().median();
  }
}
