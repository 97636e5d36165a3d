package org.repopt4j.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.GradMults;
import org.repopt4j.data.Split;
import org.repopt4j.io.StateDicts;
import org.repopt4j.nn.BlockScales;
import org.repopt4j.nn.BlockSpec;
import org.repopt4j.nn.Network;
import org.repopt4j.nn.Scales;
import org.repopt4j.runtime.Natives;
import org.repopt4j.testkit.TinyRun;

/** Sessions on the tiny images, and what the tests ask of them. */
final class TinyTraining {
  private TinyTraining() {}

  /** A session around a fresh network of the configuration's seed. */
  static Session session(TrainConfig config) throws IOException {
    return session(config, TinyRun.data(), CheckpointSettings.OFF);
  }

  /** The same on other data, for a run with checkpoints. */
  static Session session(TrainConfig config, Split data, CheckpointSettings settings)
      throws IOException {
    Natives.manualSeed(config.run().seed());
    Network network = config.arch().build(config.mode(), TinyRun.CLASSES.size());
    return Session.of(config, data, network, GradMults.none(), settings);
  }

  static TrainResult run(Session session) throws IOException {
    return run(session, new TrainListener() {}, () -> false);
  }

  static TrainResult run(Session session, TrainListener listener, BooleanSupplier stop)
      throws IOException {
    return new Trainer(session.config(), session, listener, stop).run();
  }

  /** Copies of the network's state. */
  static Map<String, Tensor> state(Network network) {
    Map<String, Tensor> state = new LinkedHashMap<>();
    network.stateDict().forEach((name, tensor) -> state.put(name, tensor.detach().clone()));
    return state;
  }

  /** A network of the session's kind with the weights of one of the run's files. */
  static Network load(Session session, String file) throws IOException {
    TrainConfig config = session.config();
    Network network = config.arch().build(config.mode(), session.numClasses());
    Path path = session.folder().path().resolve(file);
    network.loadStateDict(StateDicts.read(path).tensors(), /* strict= */ true);
    return network;
  }

  static Evaluator.Result evaluate(Session session, Network network) {
    return new Evaluator(session.device(), session.config().run().precision())
        .evaluate(network, session.testLoader(), () -> false);
  }

  /** Scales of both signs between 0.3 and 1.5. */
  static Scales scales(long seed) {
    Random random = new Random(seed);
    var blocks = new ArrayList<BlockScales>();
    for (BlockSpec spec : TinyRun.ARCHITECTURE.blocks()) {
      Map<String, float[]> values = new LinkedHashMap<>();
      for (String name : spec.scaleNames()) {
        float[] one = new float[spec.shape().out()];
        for (int o = 0; o < one.length; o++) {
          one[o] = (random.nextBoolean() ? 1 : -1) * (0.3f + 1.2f * random.nextFloat());
        }
        values.put(name, one);
      }
      blocks.add(BlockScales.of(spec.name(), values));
    }
    return Scales.of(TinyRun.ARCHITECTURE, blocks);
  }
}
