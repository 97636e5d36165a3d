package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Splitter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** How far a run is, and what it has summed up; all that its loop remembers besides tensors. */
final class RunState {
  private static final Splitter SPACES = Splitter.on(' ').omitEmptyStrings();

  int epoch;

  /** The batch of this epoch that comes next; as many as there are once all are trained on. */
  int nextBatch;

  /** Batches of all epochs. */
  long batches;

  /** Updates of all epochs. */
  long updates;

  long lastUpdate = -1;
  double lr;
  double bestTop1 = Double.NEGATIVE_INFINITY;
  double bestEmaTop1 = Double.NEGATIVE_INFINITY;

  /** Where the last update, or the epoch's begin, left {@link #nextBatch} and {@link #batches}. */
  private int reachedBatch;

  private long reachedBatches;

  /** This epoch's time before it was interrupted. */
  double seconds;

  /** This epoch's {@link RunningMean}. */
  double[] sums = new double[3];

  long images;

  /** Batches that are passed over, as {@code EPOCH/BATCH}. */
  final TreeSet<String> skipped = new TreeSet<>();

  /** Rows of the summary. */
  final List<EpochRow> rows = new ArrayList<>();

  /** Passes over a batch from now on. */
  void skip(int epoch, int batch) {
    skipped.add(epoch + "/" + batch);
  }

  /** Whether this batch of the epoch is passed over. */
  boolean skips(int batch) {
    return skipped.contains(epoch + "/" + batch);
  }

  /** Everything up to here is in the weights. */
  void reach() {
    reachedBatch = nextBatch;
    reachedBatches = batches;
  }

  /** Forgets batches whose gradients have not met their step. */
  void goBack() {
    nextBatch = reachedBatch;
    batches = reachedBatches;
  }

  /** The epoch is done, and the next one begins. */
  void finishEpoch(EpochRow row) {
    rows.add(row);
    epoch++;
    nextBatch = 0;
    seconds = 0;
    images = 0;
    sums = new double[3];
    reach();
  }

  /** Takes on another state as its own. */
  void become(RunState other) {
    epoch = other.epoch;
    nextBatch = other.nextBatch;
    batches = other.batches;
    updates = other.updates;
    lastUpdate = other.lastUpdate;
    lr = other.lr;
    bestTop1 = other.bestTop1;
    bestEmaTop1 = other.bestEmaTop1;
    seconds = other.seconds;
    images = other.images;
    sums = other.sums;
    skipped.clear();
    skipped.addAll(other.skipped);
    rows.clear();
    rows.addAll(other.rows);
    reach();
  }

  Map<String, String> values() {
    Map<String, String> values = new LinkedHashMap<>();
    values.put("epoch", Integer.toString(epoch));
    values.put("next_batch", Integer.toString(nextBatch));
    values.put("batches", Long.toString(batches));
    values.put("updates", Long.toString(updates));
    values.put("last_update", Long.toString(lastUpdate));
    values.put("lr", Double.toString(lr));
    values.put("best_top1", Double.toString(bestTop1));
    values.put("best_ema_top1", Double.toString(bestEmaTop1));
    values.put("seconds", Double.toString(seconds));
    values.put("images", Long.toString(images));
    values.put("sums", join(sums));
    values.put("skipped", String.join(" ", skipped));
    for (EpochRow row : rows) {
      values.put("row " + row.epoch(), join(row.values()));
    }
    return values;
  }

  /**
   * The state of these values.
   *
   * @throws IOException if one is missing or no number
   */
  static RunState of(Map<String, String> values) throws IOException {
    try {
      RunState state = new RunState();
      state.epoch = Integer.parseInt(values.get("epoch"));
      state.nextBatch = Integer.parseInt(values.get("next_batch"));
      state.batches = Long.parseLong(values.get("batches"));
      state.updates = Long.parseLong(values.get("updates"));
      state.lastUpdate = Long.parseLong(values.get("last_update"));
      state.lr = Double.parseDouble(values.get("lr"));
      state.bestTop1 = Double.parseDouble(values.get("best_top1"));
      state.bestEmaTop1 = Double.parseDouble(values.get("best_ema_top1"));
      state.seconds = Double.parseDouble(values.get("seconds"));
      state.images = Long.parseLong(values.get("images"));
      state.sums = doubles(values.get("sums"));
      checkArgument(
          state.epoch >= 0 && state.nextBatch >= 0 && state.updates >= 0 && state.sums.length == 3,
          "out of range");
      SPACES.split(values.get("skipped")).forEach(state.skipped::add);
      for (int row = 0; values.containsKey("row " + row); row++) {
        state.rows.add(EpochRow.of(row, doubles(values.get("row " + row))));
      }
      checkArgument(state.rows.size() == state.epoch, "not one row for each epoch");
      state.reach();
      return state;
    } catch (IllegalArgumentException | NullPointerException e) {
      throw new IOException("the checkpoint does not say how far its run was", e);
    }
  }

  private static String join(double[] numbers) {
    return Arrays.stream(numbers).mapToObj(Double::toString).collect(Collectors.joining(" "));
  }

  private static double[] doubles(String text) {
    return SPACES.splitToStream(text).mapToDouble(Double::parseDouble).toArray();
  }
}
