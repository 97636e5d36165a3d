package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.Maps;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.checkpoint.CheckpointFolder;
import org.repopt4j.csla.GradMults;
import org.repopt4j.data.BadSamples;
import org.repopt4j.data.BatchLoader;
import org.repopt4j.data.DataSets;
import org.repopt4j.data.Split;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.nn.Scales;
import org.repopt4j.optim.LearningRateSchedule;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.UpdateKernels;

/**
 * What a configuration becomes: network, optimizer, schedule, data and folder, ready for the loop.
 */
public final class Session {
  private final TrainConfig config;
  private final ComputeDevice device;
  private final Split data;
  private final Network network;
  private final GradMults mults;
  private final RepOptimizer optimizer;
  private final GradientStep gradientStep;
  private final LearningRateSchedule schedule;
  private final DataLoaders loaders;
  private final Optional<ModelEma> ema;
  private final RunFolder folder;
  private volatile Consumer<String> badSampleLog = sentence -> {};

  /**
   * Makes everything that a run needs; the order of random draws is that of the official script:
   * network first, re-initialization second.
   *
   * @param scales the searched scales, empty for a run without
   * @throws IOException if the data cannot be read or the folder cannot be written
   * @throws IllegalArgumentException if the parts do not fit each other
   */
  public static Session open(TrainConfig config, Optional<Scales> scales) throws IOException {
    return open(config, scales, CheckpointSettings.OFF);
  }

  /** The same for a run that may be one to go on with. */
  public static Session open(
      TrainConfig config, Optional<Scales> scales, CheckpointSettings checkpoints)
      throws IOException {
    checkArgument(
        scales.isPresent() || config.scales() == null,
        "--scales %s was given, but no scales were read from it",
        config.scales());
    RunFolder folder = folder(config.run().output(), checkpoints);
    ComputeDevice device = ComputeDevice.of(config.run().device());
    config.run().applyProcessWide(device);
    Split data = DataSets.open(config.data().data(), config.data().dataDir());
    Natives.manualSeed(config.run().seed());
    Network network = build(config, data);
    GradMults mults = GradMults.none();
    if (scales.isPresent()) {
      if (config.mode() == Mode.TARGET) {
        mults = network.reinitialize(scales.get());
      } else {
        network.setScales(scales.get());
      }
    }
    return new Session(config, device, data, network, mults, folder, checkpoints);
  }

  /**
   * A session around a network that the caller has initialised, for example to let several networks
   * begin equally.
   *
   * @param mults the Grad Mults of its parameters, {@link GradMults#none()} for an ordinary
   *     optimizer
   */
  public static Session of(TrainConfig config, Split data, Network network, GradMults mults)
      throws IOException {
    return of(config, data, network, mults, CheckpointSettings.OFF);
  }

  /** The same for a run that may be one to go on with. */
  public static Session of(
      TrainConfig config,
      Split data,
      Network network,
      GradMults mults,
      CheckpointSettings checkpoints)
      throws IOException {
    RunFolder folder = folder(config.run().output(), checkpoints);
    ComputeDevice device = ComputeDevice.of(config.run().device());
    config.run().applyProcessWide(device);
    return new Session(config, device, data, network, mults, folder, checkpoints);
  }

  /** {@code --resume auto} in a folder without a run begins one: the same command does for both. */
  private static RunFolder folder(Path output, CheckpointSettings checkpoints) throws IOException {
    if (!checkpoints.resumes()) {
      return RunFolder.check(output);
    }
    String from = checkpoints.resume().orElseThrow();
    checkArgument(
        checkpoints.resumesAuto() || CheckpointFolder.isOne(Path.of(from)),
        "--resume must be auto or a checkpoint's folder with its manifest.json, got: '%s'",
        from);
    RunFolder folder = RunFolder.open(output);
    if (!checkpoints.resumesAuto()) {
      // Before a folder is made for it.
      CheckpointFolder.verify(Path.of(from));
    }
    return folder;
  }

  private Session(
      TrainConfig config,
      ComputeDevice device,
      Split data,
      Network network,
      GradMults mults,
      RunFolder folder,
      CheckpointSettings checkpoints) {
    this.config = config;
    this.device = device;
    this.data = data;
    this.network = network;
    this.mults = mults;
    this.folder = folder;
    BadSamples badSamples =
        new BadSamples(checkpoints.maxBadSamples(), sentence -> badSampleLog.accept(sentence));
    // The configuration knows scales from a file only; Grad Mults may have come another way.
    if (mults.size() > 0) {
      config.optim().checkClippingWithGradMults();
    }
    place(network);
    this.loaders = DataLoaders.of(config, data, device, badSamples);
    this.schedule =
        config
            .schedule()
            .schedule(config.realLr(), config.lrScale(), loaders.train().batchesPerEpoch());
    this.optimizer = config.optim().optimizer(network, config.realLr(), mults);
    this.gradientStep =
        new GradientStep(
            optimizer,
            Maps.filterValues(network.namedParameters(), Tensor::requires_grad),
            config.run().precision(),
            config.optim().clipGrad());
    this.ema =
        config.run().modelEmaDecay() == 0
            ? Optional.empty()
            : Optional.of(new ModelEma(network, twin(), config.run().modelEmaDecay()));
  }

  private static Network build(TrainConfig config, Split data) {
    return config.arch().build(config.mode(), data.train().classes());
  }

  private void place(Network network) {
    network.to(device.device(), /* non_blocking= */ false);
    if (config.run().channelsLast()) {
      network.channelsLast();
    }
  }

  private Network twin() {
    Network twin = build(config, data);
    place(twin);
    return twin;
  }

  /** What is about to run. */
  TrainListener.Start describe() {
    long parameters =
        network.namedParameters().values().stream()
            .filter(p -> p.requires_grad())
            .mapToLong(torch::numel)
            .sum();
    return new TrainListener.Start(
        parameters,
        mults.size(),
        config.realLr(),
        device
            + " ("
            + device.reason()
            + "), threads: "
            + Natives.threads()
            + ", update: "
            + UpdateKernels.inUse(device),
        config.schedule().epochs(),
        loaders.train().batchesPerEpoch(),
        data.train().size(),
        data.test().size(),
        folder.path());
  }

  /** The network in training. */
  public Network network() {
    return network;
  }

  TrainConfig config() {
    return config;
  }

  ComputeDevice device() {
    return device;
  }

  RepOptimizer optimizer() {
    return optimizer;
  }

  GradientStep gradientStep() {
    return gradientStep;
  }

  LearningRateSchedule schedule() {
    return schedule;
  }

  /** Where sentences about samples that cannot be read go; from any thread. */
  void badSampleLog(Consumer<String> log) {
    badSampleLog = log;
  }

  BatchLoader trainLoader() {
    return loaders.train();
  }

  BatchLoader testLoader() {
    return loaders.test();
  }

  Optional<ModelEma> ema() {
    return ema;
  }

  RunFolder folder() {
    return folder;
  }

  int numClasses() {
    return data.train().classes();
  }
}
