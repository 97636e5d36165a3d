package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.hash.Hashing;
import com.google.common.io.MoreFiles;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.checkpoint.Checkpoint;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.LoadReport;
import org.repopt4j.nn.Network;
import org.repopt4j.optim.OptimizerState;
import org.repopt4j.runtime.NativeErrors;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.RandomStates;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;

/** A training run as a {@link Checkpoint}, and back. */
final class Snapshot {
  private static final String MODEL = "model";
  private static final String AVERAGE = "ema";
  private static final String OPTIMIZER = "optimizer";
  private static final String RANDOM = "random";
  private static final String STEPS = "steps of ";
  private static final String SCALE = "grad_scale";
  private static final String SCALE_STEPS = "grad_scale_good_steps";

  /** Settings of which a run's numbers do not depend, or by rounding only. */
  private static final Set<String> FREE =
      Set.of(
          "output",
          "device",
          "channels_last",
          "recompute",
          "threads",
          "workers",
          "val_batch_size",
          "data_dir",
          "scales",
          "real_lr");

  private Snapshot() {}

  /**
   * A copy of all that the run depends on; training may go on at once.
   *
   * @param configuration what {@link #configuration} says
   */
  static Checkpoint take(Session session, RunState state, Map<String, String> configuration)
      throws IOException {
    Map<String, Map<String, Tensor>> tensors = new LinkedHashMap<>();
    Map<String, String> values = state.values();
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      tensors.put(MODEL, copies(session.network().stateDict()));
      session.ema().ifPresent(ema -> tensors.put(AVERAGE, copies(ema.network().stateDict())));
      OptimizerState optimizer = session.optimizer().state();
      optimizer.tensors().values().forEach(Retained::retain);
      tensors.put(OPTIMIZER, optimizer.tensors());
      tensors.put(RANDOM, RandomStates.read(session.device()));
      values.put("optimizer_rule", optimizer.rule().name());
      values.put("optimizer_lr", Double.toString(optimizer.learningRate()));
      if (session.gradientStep().scales()) {
        GradScaler scaler = session.gradientStep().scaler();
        values.put(SCALE, Double.toString(scaler.scale()));
        values.put(SCALE_STEPS, Integer.toString(scaler.goodSteps()));
      }
      optimizer.steps().forEach((name, steps) -> values.put(STEPS + name, Long.toString(steps)));
    }
    return new Checkpoint(state.updates, values, configuration, versions(), tensors);
  }

  /** Whether the network's parameters and buffers are all finite numbers. */
  static boolean isFinite(Checkpoint checkpoint) {
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      for (Tensor tensor : checkpoint.tensors().get(MODEL).values()) {
        if (tensor.is_floating_point() && !Double.isFinite(tensor.sum().item_double())) {
          return false;
        }
      }
      return true;
    }
  }

  private static Map<String, Tensor> copies(Map<String, Tensor> live) {
    Map<String, Tensor> copies = new LinkedHashMap<>();
    live.forEach((name, tensor) -> copies.put(name, Retained.retain(tensor.detach().clone())));
    return copies;
  }

  /**
   * The settings, with the number of training images, which a folder of the same name may hold more
   * or fewer of, and the hash of the scales' file, which must be there.
   */
  static Map<String, String> configuration(Session session) throws IOException {
    TrainConfig config = session.config();
    Map<String, String> texts = new LinkedHashMap<>();
    for (Map.Entry<String, Object> entry : Arguments.of(config).entrySet()) {
      Object value = entry.getValue();
      texts.put(
          entry.getKey(), value instanceof double[] array ? Arrays.toString(array) : "" + value);
    }
    texts.put("train_images", Integer.toString(session.trainLoader().images().size()));
    if (config.scales() != null) {
      texts.put(
          "scales_sha256",
          MoreFiles.asByteSource(config.scales()).hash(Hashing.sha256()).toString());
    }
    return texts;
  }

  private static Map<String, String> versions() throws IOException {
    Map<String, String> versions = new LinkedHashMap<>();
    String own = Snapshot.class.getPackage().getImplementationVersion();
    versions.put("repopt4j", own == null ? "(not packaged)" : own);
    versions.put("pytorch presets", "" + Loader.getVersion("org.bytedeco", "pytorch"));
    versions.put("java", Runtime.version().toString());
    versions.put("platform", Natives.platform());
    return versions;
  }

  /** Settings that differ: those that decide the trajectory, and others. */
  record Changes(List<String> decisive, List<String> harmless) {}

  static Changes changes(Checkpoint checkpoint, Map<String, String> now) throws IOException {
    Map<String, String> before = checkpoint.configuration();
    TreeSet<String> names = new TreeSet<>(before.keySet());
    names.addAll(now.keySet());
    Changes changes = new Changes(new ArrayList<>(), new ArrayList<>());
    for (String name : names) {
      if (!Objects.equals(before.get(name), now.get(name))) {
        String change = name + " was " + before.get(name) + ", is " + now.get(name);
        (FREE.contains(name) ? changes.harmless : changes.decisive).add(change);
      }
    }
    versions()
        .forEach(
            (name, version) -> {
              String was = checkpoint.versions().get(name);
              if (!version.equals(was)) {
                changes.harmless.add(name + " was " + was + ", is " + version);
              }
            });
    return changes;
  }

  /**
   * Puts everything back as it was.
   *
   * @throws IOException with one sentence, if the checkpoint does not hold what the session needs;
   *     the session is of no use then
   */
  static RunState restore(Checkpoint checkpoint, Session session) throws IOException {
    RunState state = RunState.of(checkpoint.values());
    OptimizerState optimizer = optimizer(checkpoint);
    GradScaler scaler = scaler(checkpoint.values());
    try {
      load(session.network(), group(checkpoint, MODEL));
      if (session.ema().isPresent()) {
        load(session.ema().get().network(), group(checkpoint, AVERAGE));
      }
      session.optimizer().load(optimizer);
      session.gradientStep().scaler(scaler);
      RandomStates.restore(group(checkpoint, RANDOM), session.device());
    } catch (RuntimeException e) {
      throw new IOException(
          "the checkpoint of step "
              + checkpoint.step()
              + " does not fit this run: "
              + NativeErrors.sentence(e),
          e);
    }
    return state;
  }

  /** Of another network's weights nothing fits, so not all of it is named. */
  private static void load(Network network, Map<String, Tensor> state) {
    LoadReport misfit = network.loadStateDict(state, /* strict= */ false);
    checkArgument(misfit.isComplete(), "%s", misfit.summary());
  }

  private static OptimizerState optimizer(Checkpoint checkpoint) throws IOException {
    Map<String, String> values = checkpoint.values();
    try {
      Map<String, Long> steps = new LinkedHashMap<>();
      for (Map.Entry<String, String> value : values.entrySet()) {
        if (value.getKey().startsWith(STEPS)) {
          steps.put(value.getKey().substring(STEPS.length()), Long.parseLong(value.getValue()));
        }
      }
      return new OptimizerState(
          UpdateRule.valueOf(values.getOrDefault("optimizer_rule", "")),
          Double.parseDouble(values.getOrDefault("optimizer_lr", "")),
          steps,
          group(checkpoint, OPTIMIZER));
    } catch (IllegalArgumentException e) {
      throw new IOException("the checkpoint does not say how far its optimizer was", e);
    }
  }

  /** The gradient scale that a checkpoint names; a run in another precision names none. */
  private static GradScaler scaler(Map<String, String> values) throws IOException {
    if (!values.containsKey(SCALE)) {
      return GradScaler.START;
    }
    try {
      return new GradScaler(
          Double.parseDouble(values.get(SCALE)), Integer.parseInt(values.get(SCALE_STEPS)));
    } catch (IllegalArgumentException e) {
      throw new IOException("the checkpoint's gradient scale is no number to go on with", e);
    }
  }

  private static Map<String, Tensor> group(Checkpoint checkpoint, String name) throws IOException {
    Map<String, Tensor> group = checkpoint.tensors().get(name);
    if (group == null) {
      throw new IOException("the checkpoint of step " + checkpoint.step() + " holds no " + name);
    }
    return group;
  }
}
