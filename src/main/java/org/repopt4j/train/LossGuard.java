package org.repopt4j.train;

import com.google.common.base.Joiner;
import com.google.common.primitives.Ints;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.data.Batch;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Retained;
import org.repopt4j.train.CheckpointSettings.OnNan;

/**
 * Sees that the loss stays a finite number. On a CPU, and where a batch is to be passed over, every
 * loss is looked at before its step; otherwise, so that the device need not be waited for, those
 * since the last look are looked at together.
 */
final class LossGuard implements AutoCloseable {
  /** A loss that is infinite or no number. */
  record Fault(int epoch, int batch, List<Integer> samples, double loss) {
    String sentence() {
      int shown = Math.min(8, samples.size());
      String ids = Joiner.on(", ").join(samples.subList(0, shown));
      return "the loss is "
          + loss
          + " in epoch "
          + epoch
          + ", batch "
          + batch
          + " (samples "
          + ids
          + (shown < samples.size() ? ", ... " + samples.size() + " in all" : "")
          + ")";
    }
  }

  private record Seen(int epoch, int batch, List<Integer> samples, Tensor loss) {}

  private final boolean atOnce;
  private final boolean keepsBuffers;
  private final KeptBuffers buffers = new KeptBuffers();
  private final List<Seen> unseen = new ArrayList<>();

  LossGuard(ComputeDevice device, OnNan onNan) {
    this.atOnce = !device.isCuda() || onNan != OnNan.STOP;
    this.keepsBuffers = onNan == OnNan.SKIP;
  }

  /** Before a batch: what its forward pass may spoil beside the gradients is kept. */
  void before(Network network) {
    if (keepsBuffers) {
      buffers.keep(network);
    }
  }

  /** Puts back what {@link #before} kept. */
  void undo(Network network) {
    buffers.putBack(network);
  }

  /** After a batch: its fault, if it has one and every loss is looked at. */
  Optional<Fault> after(int epoch, Batch batch, Tensor loss) {
    Seen seen = new Seen(epoch, batch.step(), Ints.asList(batch.sampleIds()), loss);
    if (atOnce) {
      return fault(seen);
    }
    unseen.add(new Seen(epoch, batch.step(), seen.samples, Retained.retain(loss.detach())));
    return Optional.empty();
  }

  /** The first fault since the last look. */
  Optional<Fault> look() {
    Optional<Fault> first = Optional.empty();
    for (Seen seen : unseen) {
      first = first.isPresent() ? first : fault(seen);
      seen.loss.close();
    }
    unseen.clear();
    return first;
  }

  private static Optional<Fault> fault(Seen seen) {
    double loss = seen.loss.item_double();
    return Double.isFinite(loss)
        ? Optional.empty()
        : Optional.of(new Fault(seen.epoch, seen.batch, seen.samples, loss));
  }

  @Override
  public void close() {
    unseen.forEach(seen -> seen.loss.close());
    unseen.clear();
    buffers.close();
  }
}
