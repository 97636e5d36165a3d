package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.repopt4j.checkpoint.Checkpoint;
import org.repopt4j.checkpoint.CheckpointFolder;

/** Which checkpoint a run goes on from, and whether it may. */
final class Resuming {
  private final Session session;
  private final CheckpointSettings settings;
  private final TrainListener listener;

  /** Taken once: what the run began with may be moved or replaced while it runs. */
  private final Map<String, String> configuration;

  /** A state that the session was put into, and what there is to say of it once the run begins. */
  record Resumed(RunState state, List<String> said) {}

  Resuming(Session session, CheckpointSettings settings, TrainListener listener)
      throws IOException {
    this.session = session;
    this.settings = settings;
    this.listener = listener;
    this.configuration =
        settings.isOn() || settings.resumes() ? Snapshot.configuration(session) : Map.of();
  }

  /** The run's settings as its checkpoints name them. */
  Map<String, String> configuration() {
    return configuration;
  }

  /**
   * The state of the checkpoint that the settings name, empty if they name none. The run's folder
   * is not touched, so that a refusal leaves nothing.
   *
   * @throws IllegalArgumentException if settings changed that decide the trajectory
   * @throws IOException if the checkpoint is damaged or does not fit the run
   */
  Optional<Resumed> named() throws IOException {
    return settings.resumes() && !settings.resumesAuto()
        ? Optional.of(resumed(CheckpointFolder.read(Path.of(settings.resume().orElseThrow()))))
        : Optional.empty();
  }

  /**
   * The state of the newest whole checkpoint, if going on is asked for; empty if there is none.
   *
   * @throws IllegalArgumentException if settings changed that decide the trajectory
   * @throws IOException if all checkpoints are damaged, or the newest does not fit the run
   */
  Optional<Resumed> newest(CheckpointFolder folder) throws IOException {
    if (!settings.resumes()) {
      return Optional.empty();
    }
    Optional<Checkpoint> found = folder.newest(listener::notice);
    if (found.isPresent()) {
      return Optional.of(resumed(found.get()));
    }
    // What a run has reached must not be written over because no checkpoint of it can be read.
    if (!folder.list().isEmpty()) {
      throw new IOException(
          "none of the checkpoints in "
              + folder.root()
              + " is whole; to begin anew, name another --output, or delete that folder");
    }
    listener.notice("there is no checkpoint in " + folder.root() + "; beginning anew");
    return Optional.empty();
  }

  /** Puts the session back into the state of the newest whole checkpoint of this run, if any. */
  Optional<RunState> back(CheckpointFolder folder) throws IOException {
    Optional<Checkpoint> found = folder.newest(listener::notice);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    try (Checkpoint checkpoint = found.get()) {
      return Optional.of(Snapshot.restore(checkpoint, session));
    }
  }

  private Resumed resumed(Checkpoint found) throws IOException {
    try (Checkpoint checkpoint = found) {
      List<String> said = new ArrayList<>(checkSettings(checkpoint));
      RunState state = Snapshot.restore(checkpoint, session);
      int batches = session.trainLoader().batchesPerEpoch();
      checkArgument(
          state.nextBatch <= batches,
          "the run cannot go on after batch %s of epoch %s, because an epoch has only %s batches"
              + " now; set --batch-size and the training images back",
          state.nextBatch,
          state.epoch + 1,
          batches);
      // In another folder than its own a run has no best weights yet.
      if (!session.folder().holdsWeights("best")) {
        state.bestTop1 = Double.NEGATIVE_INFINITY;
      }
      if (!session.folder().holdsWeights("best-ema")) {
        state.bestEmaTop1 = Double.NEGATIVE_INFINITY;
      }
      said.add(
          "resuming after step "
              + state.updates
              + " (epoch "
              + (state.epoch + 1)
              + ", batch "
              + state.nextBatch
              + ")");
      return new Resumed(state, ImmutableList.copyOf(said));
    }
  }

  private List<String> checkSettings(Checkpoint checkpoint) throws IOException {
    Snapshot.Changes changes = Snapshot.changes(checkpoint, configuration);
    checkArgument(
        changes.decisive().isEmpty() || settings.resumeAnyway(),
        "the run cannot go on as it was, because settings changed: %s; set them back, or add"
            + " --resume-anyway",
        String.join("; ", changes.decisive()));
    List<String> said = new ArrayList<>();
    changes.decisive().forEach(change -> said.add("changed, and it matters: " + change));
    changes.harmless().forEach(change -> said.add("changed: " + change));
    return said;
  }
}
