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
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.data.Augmentation;
import org.repopt4j.data.BadSamples;
import org.repopt4j.data.BatchLoader;
import org.repopt4j.data.DataSets;
import org.repopt4j.data.LoaderOptions;
import org.repopt4j.data.Split;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.nn.Scales;
import org.repopt4j.optim.LearningRateSchedule;
import org.repopt4j.optim.ParameterGroups;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.UpdateKernels;

/**
 * What a configuration becomes: network, optimizer, schedule, data and folder, ready for the loop.
 */
public final class Session {
  /** Batches that are ready beside the one in use, at least; one for each worker, at least. */
  private static final int PREFETCH = 2;

  private final TrainConfig config;
  private final ComputeDevice device;
  private final Split data;
  private final Network network;
  private final GradMults mults;
  private final RepOptimizer optimizer;
  private final GradientStep gradientStep;
  private final LearningRateSchedule schedule;
  private final BatchLoader trainLoader;
  private final BatchLoader testLoader;
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
    applyProcessWide(config.run(), device);
    Split data = DataSets.open(config.data().data(), config.data().dataDir());
    Natives.manualSeed(config.run().seed());
    Network network = config.arch().build(config.mode(), data.train().classes());
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
    applyProcessWide(config.run(), device);
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

  private static void applyProcessWide(RunSettings run, ComputeDevice device) {
    run.precision().apply(device);
    if (run.threads() > 0) {
      Natives.threads(run.threads());
    }
    Natives.deterministic(run.deterministic());
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
    network.to(device.device(), /* non_blocking= */ false);
    if (config.run().channelsLast()) {
      network.channelsLast();
    }
    DataSettings settings = config.data();
    checkArgument(
        data.train().size() >= settings.batchSize(),
        "--batch-size %s is larger than the training set of %s images; lower it",
        settings.batchSize(),
        data.train().size());
    LoaderOptions training =
        LoaderOptions.training(
            settings.batchSize(),
            config.run().seed(),
            augmentation(settings, data.train().augmentation()));
    int ahead = Math.max(PREFETCH, settings.workers());
    this.trainLoader =
        new BatchLoader(data.train(), training.withWorkers(settings.workers(), ahead), badSamples)
            .on(device);
    checkArgument(
        config.optim().gradAccumSteps() <= trainLoader.batchesPerEpoch(),
        "--grad-accum-steps %s is more than the %s batches of an epoch, so no step would ever be"
            + " made; lower it",
        config.optim().gradAccumSteps(),
        trainLoader.batchesPerEpoch());
    this.testLoader =
        new BatchLoader(
                data.test(),
                LoaderOptions.evaluation(settings.valBatchSize())
                    .withWorkers(settings.workers(), ahead),
                badSamples)
            .on(device);
    double baseLr = config.optim().lr() * config.lrScale();
    this.schedule =
        config.schedule().schedule(baseLr, config.lrScale(), trainLoader.batchesPerEpoch());
    this.optimizer = optimizer(baseLr);
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

  private static Augmentation augmentation(DataSettings settings, Augmentation usual) {
    if (settings.noAug()) {
      return Augmentation.NONE;
    }
    return settings.noFlip() ? usual.withoutFlip() : usual;
  }

  private RepOptimizer optimizer(double lr) {
    OptimSettings optim = config.optim();
    var groups = ParameterGroups.official(network.namedParameters(), optim.weightDecay());
    if (optim.opt() == UpdateRule.SGD) {
      return RepOptimizer.sgd(groups)
          .lr(lr)
          .momentum(optim.momentum())
          .nesterov(optim.momentum() > 0)
          .gradMults(mults)
          .build();
    }
    return RepOptimizer.adamw(groups)
        .lr(lr)
        .betas(optim.beta1(), optim.beta2())
        .eps(optim.eps())
        .rule(optim.opt())
        .gradMults(mults)
        .build();
  }

  private Network twin() {
    Network twin = config.arch().build(config.mode(), data.train().classes());
    twin.to(device.device(), /* non_blocking= */ false);
    if (config.run().channelsLast()) {
      twin.channelsLast();
    }
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
        config.optim().lr() * config.lrScale(),
        device
            + " ("
            + device.reason()
            + "), threads: "
            + Natives.threads()
            + ", update: "
            + UpdateKernels.inUse(device),
        config.schedule().epochs(),
        trainLoader.batchesPerEpoch(),
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
    return trainLoader;
  }

  BatchLoader testLoader() {
    return testLoader;
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
