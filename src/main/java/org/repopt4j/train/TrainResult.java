package org.repopt4j.train;

import java.nio.file.Path;

/**
 * What a run came to.
 *
 * @param last the last epoch's row, null if the run was stopped before its first epoch began
 * @param bestTop1 the best test accuracy, 0 to 1, negative infinity where none was measured
 * @param stopped whether the run was stopped before its end
 * @param folder where its files are
 */
public record TrainResult(EpochRow last, double bestTop1, boolean stopped, Path folder) {}
