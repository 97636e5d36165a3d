package org.repopt4j.search;

import static com.google.common.base.Preconditions.checkArgument;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Scales;
import org.repopt4j.train.CheckpointSettings;
import org.repopt4j.train.Session;
import org.repopt4j.train.TrainConfig;
import org.repopt4j.train.TrainListener;
import org.repopt4j.train.TrainResult;
import org.repopt4j.train.Trainer;

/**
 * Hyper-search (paper, section 3.2): the constants of the RepOptimizer are the scales of a network,
 * trained on a small data set, whose scales are trainable.
 */
public final class HyperSearch {
  /** The name of the scales' file in a run's folder. */
  public static final String FILE = "scales.safetensors";

  private HyperSearch() {}

  /**
   * What a search yields.
   *
   * @param scales the scales after the last epoch
   * @param file where they are
   * @param training how the training of the search network went
   */
  public record Result(Scales scales, Path file, TrainResult training) {}

  /**
   * Trains the search network and writes {@value #FILE} into the run's folder.
   *
   * @param config with mode {@code hs}
   * @param stop ends the search after the current step; the scales reached so far are written all
   *     the same
   */
  public static Result run(TrainConfig config, TrainListener listener, BooleanSupplier stop)
      throws IOException {
    return run(config, CheckpointSettings.OFF, listener, stop);
  }

  /** The same with checkpoints, or from one. */
  public static Result run(
      TrainConfig config,
      CheckpointSettings checkpoints,
      TrainListener listener,
      BooleanSupplier stop)
      throws IOException {
    checkArgument(config.mode() == Mode.HS, "a search trains the mode hs, got: %s", config.mode());
    Session session = Session.open(config, Optional.empty(), checkpoints);
    TrainResult training =
        new Trainer(config, session, checkpoints, new FileStorage(), listener, stop).run();
    Scales scales = Scales.of(session.network());
    Path file = training.folder().resolve(FILE);
    ScalesFile.write(file, scales, provenance(config, training));
    return new Result(scales, file, training);
  }

  private static Map<String, String> provenance(TrainConfig config, TrainResult training) {
    Map<String, String> provenance = new LinkedHashMap<>();
    provenance.put("architecture", config.arch().spec());
    provenance.put("data", config.data().data());
    provenance.put("epochs", Integer.toString(training.last().epoch() + 1));
    provenance.put("complete", Boolean.toString(!training.stopped()));
    provenance.put("seed", Long.toString(config.run().seed()));
    provenance.put("batch_size", Integer.toString(config.data().batchSize()));
    provenance.put("lr", Double.toString(config.optim().lr()));
    provenance.put("eval_top1", Double.toString(training.last().evalTop1()));
    return provenance;
  }
}
