package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Context;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.checkpoint.Checkpoint;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.RunSettings.Precision;

/** Whole runs in other formats than float32. */
@ExtendWith(OneThread.class)
class MixedPrecisionTest {
  @TempDir Path folder;

  private final List<String> notices = new ArrayList<>();

  private TrainConfig config(Mode mode, Precision precision) {
    TrainConfig config = TinyRun.config(mode, folder.resolve(mode + "-" + precision));
    return TinyRun.with(config, "run.precision", precision);
  }

  private Session session(TrainConfig config) throws IOException {
    Natives.manualSeed(config.run().seed());
    Network network = config.arch().build(config.mode(), TinyRun.CLASSES.size());
    var mults =
        config.mode() == Mode.TARGET
            ? network.reinitialize(TinyTraining.scales(3))
            : org.repopt4j.csla.GradMults.none();
    return Session.of(config, TinyRun.data(), network, mults);
  }

  private TrainResult run(Session session) throws IOException {
    return TinyTraining.run(
        session,
        new TrainListener() {
          @Override
          public void notice(String sentence) {
            notices.add(sentence);
          }
        },
        () -> false);
  }

  @ParameterizedTest
  @CsvSource({"TARGET, 1, 0", "TARGET, 2, 0", "HS, 2, 0.5", "CSLA, 1, 0"})
  void float16TrainsAsFloat32DoesUpToRounding(Mode mode, int accumulated, double clip)
      throws IOException {
    double[] losses = new double[2];
    for (Precision precision : new Precision[] {Precision.FP32, Precision.FP16}) {
      TrainConfig config = config(mode, precision);
      config = TinyRun.with(config, "optim.gradAccumSteps", accumulated);
      config = TinyRun.with(config, "optim.clipGrad", clip);
      config = TinyRun.with(config, "run.recompute", precision == Precision.FP16);
      losses[precision == Precision.FP32 ? 0 : 1] = run(session(config)).last().trainLoss();
    }
    assertEquals(losses[0], losses[1], 0.05 * losses[0]);
  }

  @Test
  void overflowingGradientsMoveNeitherWeightsNorAverages() throws IOException {
    TrainConfig config = TinyRun.with(config(Mode.HS, Precision.FP16), "run.modelEmaDecay", 0.9);
    Session session = session(config);
    session.gradientStep().scaler(new GradScaler(0x1p100, 0));
    Map<String, Tensor> before = TinyTraining.state(session.network());
    run(session);
    assertEquals(12, notices.stream().filter(n -> n.contains("gradient overflowed")).count());
    assertEquals(0x1p88, session.gradientStep().scaler().scale());
    Map<String, Tensor> average = session.ema().orElseThrow().network().stateDict();
    for (String name : session.network().namedParameters().keySet()) {
      assertBitEqual(name, before.get(name), session.network().stateDict().get(name));
      assertBitEqual(name, before.get(name), average.get(name));
    }
  }

  @Test
  void aLossThatIsNoNumberIsTheGuardsAndNotTheScalers() throws IOException {
    Session session = session(config(Mode.HS, Precision.FP16));
    try (NoGrad noGrad = NoGrad.open();
        Scalar nan = new Scalar(Double.NaN)) {
      session.network().stateDict().get("linear.bias").fill_(nan);
    }
    TrainingDivergedException ended =
        assertThrows(TrainingDivergedException.class, () -> run(session));
    assertTrue(ended.getMessage().contains("the loss is NaN"), ended::getMessage);
    assertEquals(GradScaler.START, session.gradientStep().scaler());
  }

  @Test
  void aCheckpointHoldsTheScale() throws IOException {
    Session session = session(config(Mode.HS, Precision.FP16));
    session.gradientStep().scaler(new GradScaler(1024, 17));
    try (StepScope scope = StepScope.open();
        Checkpoint checkpoint = Snapshot.take(session, new RunState(), Map.of())) {
      session.gradientStep().scaler(GradScaler.START);
      Snapshot.restore(checkpoint, session);
      assertEquals(new GradScaler(1024, 17), session.gradientStep().scaler());
      Map<String, String> values = new LinkedHashMap<>(checkpoint.values());
      assertEquals("1024.0", values.remove("grad_scale"));
      Snapshot.restore(with(checkpoint, values), session);
      assertEquals(GradScaler.START, session.gradientStep().scaler(), "of another precision");
      values.put("grad_scale", "-1");
      assertThrows(IOException.class, () -> Snapshot.restore(with(checkpoint, values), session));
    }
  }

  private static Checkpoint with(Checkpoint checkpoint, Map<String, String> values) {
    return new Checkpoint(
        checkpoint.step(),
        values,
        checkpoint.configuration(),
        checkpoint.versions(),
        checkpoint.tensors());
  }

  @Test
  void inOtherPrecisionsACheckpointHoldsNone() throws IOException {
    Session session = session(config(Mode.HS, Precision.BF16));
    try (Checkpoint checkpoint = Snapshot.take(session, new RunState(), Map.of())) {
      assertFalse(checkpoint.values().containsKey("grad_scale"));
    }
  }

  /** libtorch itself begins with TF32 in cuDNN. */
  @ParameterizedTest
  @ValueSource(strings = {"FP32", "BF16", "FP16"})
  void noPrecisionButTf32LetsFloat32BeTf32(Precision precision) {
    Natives.tf32(true);
    Context context = torch.globalContext();
    assertTrue(context.allowTF32CuDNN());
    assertTrue(context.allowTF32CuBLAS());
    assertEquals(precision, new ForwardPass(ComputeDevice.cpu(), precision).precision());
    assertFalse(context.allowTF32CuDNN());
    assertFalse(context.allowTF32CuBLAS());
  }

  @Test
  void tf32IsRefusedOnACpu() {
    assertRefused(
        () -> session(config(Mode.HS, Precision.TF32)), "--precision tf32", "cpu", "fp32");
    assertFalse(folder.resolve("hs-TF32").toFile().exists());
  }
}
