package org.repopt4j.bench;

import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.Network;
import org.repopt4j.nn.Scales;
import org.repopt4j.optim.Engine;
import org.repopt4j.optim.ParameterGroups;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Natives;

/** The network that is measured and, if it is trained, its optimizer. */
final class Subject {
  /** So small that a network of any kind stays finite for as long as is measured. */
  static final double LEARNING_RATE = 1e-6;

  private static final double MOMENTUM = 0.9;
  private static final double WEIGHT_DECAY = 4e-5;

  private final ComputeDevice device;
  private final Network network;
  private final GradMults mults;

  private Subject(ComputeDevice device, Network network, GradMults mults) {
    this.device = device;
    this.network = network;
    this.mults = mults;
  }

  /**
   * A fresh network of the settings' seed on its device. A target network that is to be trained has
   * Grad Mults, a csla or hs network has the scales.
   *
   * @param scales searched ones; where there are none, random ones are taken
   */
  static Subject build(BenchSettings settings, ComputeDevice device, Optional<Scales> scales) {
    Natives.manualSeed(settings.seed());
    Network network = settings.arch().build(settings.mode(), settings.numClasses());
    GradMults mults = GradMults.none();
    Scales constants = scales.orElseGet(() -> RandomScales.of(settings.arch(), settings.seed()));
    if (settings.mode().hasScales()) {
      network.setScales(constants);
    } else if (settings.usesScales()) {
      mults = network.reinitialize(constants);
    }
    network.to(device.device(), /* non_blocking= */ false);
    if (settings.channelsLast()) {
      network.channelsLast();
    }
    network.train(settings.what() != BenchSettings.What.INFERENCE);
    return new Subject(device, network, mults);
  }

  ComputeDevice device() {
    return device;
  }

  Network network() {
    return network;
  }

  GradMults mults() {
    return mults;
  }

  /** The trainable parameters. */
  Map<String, Tensor> parameters() {
    Map<String, Tensor> trainable = network.namedParameters();
    trainable.values().removeIf(parameter -> !parameter.requires_grad());
    return trainable;
  }

  /** An optimizer as the official script sets it up. */
  RepOptimizer optimizer(UpdateRule rule, Optional<Engine> engine) {
    ParameterGroups groups = ParameterGroups.official(network.namedParameters(), WEIGHT_DECAY);
    if (rule == UpdateRule.SGD) {
      var sgd = RepOptimizer.sgd(groups).momentum(MOMENTUM).nesterov(true).gradMults(mults);
      engine.ifPresent(sgd::engine);
      return sgd.build();
    }
    var adamw = RepOptimizer.adamw(groups).rule(rule).gradMults(mults);
    engine.ifPresent(adamw::engine);
    return adamw.build();
  }
}
