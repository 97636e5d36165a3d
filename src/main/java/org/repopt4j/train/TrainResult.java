package org.repopt4j.train;

import java.nio.file.Path;
import java.util.Optional;
import org.repopt4j.runtime.CudaMemory;

/**
 * What a run came to.
 *
 * @param last the last epoch's row; of a run that was stopped, that of the epoch which was not
 *     finished
 * @param bestTop1 the best test accuracy, 0 to 1, of the network or of its moving average, negative
 *     infinity where none was measured
 * @param stopped whether the run was stopped before its end
 * @param folder where its files are
 * @param deviceMemory the most memory of a CUDA device that was in use at once; empty for a CPU
 */
public record TrainResult(
    EpochRow last,
    double bestTop1,
    boolean stopped,
    Path folder,
    Optional<CudaMemory.Peak> deviceMemory) {}
