package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.nn.Mode;
import org.repopt4j.testkit.TinyRun;

class TrainConfigTest {
  private static final Path OUTPUT = Path.of("run");
  private static final Path SCALES = Path.of("s.pth");

  private static TrainConfig config(Mode mode) {
    return TinyRun.config(mode, OUTPUT);
  }

  static Stream<Arguments> badValues() {
    double nan = Double.NaN;
    double infinite = Double.POSITIVE_INFINITY;
    return Stream.of(
        Arguments.of("data.batchSize", 1, "--batch-size"),
        Arguments.of("data.batchSize", 0, "--batch-size"),
        Arguments.of("data.batchSize", -8, "--batch-size"),
        Arguments.of("data.batchSize", 65537, "--batch-size"),
        Arguments.of("data.valBatchSize", 0, "--val-batch-size"),
        Arguments.of("data.valBatchSize", 65537, "--val-batch-size"),
        Arguments.of("data.workers", 0, "--workers"),
        Arguments.of("data.workers", 257, "--workers"),
        Arguments.of("optim.lr", 0.0, "--lr"),
        Arguments.of("optim.lr", -0.1, "--lr"),
        Arguments.of("optim.lr", nan, "--lr"),
        Arguments.of("optim.lr", infinite, "--lr"),
        Arguments.of("optim.momentum", -0.5, "--momentum"),
        Arguments.of("optim.momentum", 1.0, "--momentum"),
        Arguments.of("optim.momentum", nan, "--momentum"),
        Arguments.of("optim.beta1", 1.0, "--opt-betas"),
        Arguments.of("optim.beta1", nan, "--opt-betas"),
        Arguments.of("optim.beta2", -0.25, "--opt-betas"),
        Arguments.of("optim.beta2", 1.5, "--opt-betas"),
        Arguments.of("optim.eps", 0.0, "--opt-eps"),
        Arguments.of("optim.eps", infinite, "--opt-eps"),
        Arguments.of("optim.weightDecay", -4.0e-5, "--weight-decay"),
        Arguments.of("optim.weightDecay", infinite, "--weight-decay"),
        Arguments.of("optim.weightDecay", nan, "--weight-decay"),
        Arguments.of("optim.clipGrad", -5.0, "--clip-grad"),
        Arguments.of("optim.clipGrad", nan, "--clip-grad"),
        Arguments.of("optim.gradAccumSteps", 0, "--grad-accum-steps"),
        Arguments.of("optim.gradAccumSteps", 65537, "--grad-accum-steps"),
        Arguments.of("optim.smoothing", 1.0, "--smoothing"),
        Arguments.of("optim.smoothing", -0.1, "--smoothing"),
        Arguments.of("optim.smoothing", nan, "--smoothing"),
        Arguments.of("schedule.epochs", 0, "--epochs"),
        Arguments.of("schedule.epochs", 1_000_001, "--epochs"),
        Arguments.of("schedule.warmupEpochs", 2.0, "--warmup-epochs"),
        Arguments.of("schedule.warmupEpochs", -1.0, "--warmup-epochs"),
        Arguments.of("schedule.warmupEpochs", nan, "--warmup-epochs"),
        Arguments.of("schedule.warmupLr", -1.0E-4, "--warmup-lr"),
        Arguments.of("schedule.warmupLr", infinite, "--warmup-lr"),
        Arguments.of("schedule.minLr", -1.0, "--min-lr"),
        Arguments.of("schedule.minLr", nan, "--min-lr"),
        Arguments.of("schedule.decayEpochs", 0.0, "--decay-epochs"),
        Arguments.of("schedule.decayEpochs", infinite, "--decay-epochs"),
        Arguments.of("schedule.decayRate", 0.0, "--decay-rate"),
        Arguments.of("schedule.decayRate", 1.5, "--decay-rate"),
        Arguments.of("schedule.decayRate", nan, "--decay-rate"),
        Arguments.of("run.threads", -1, "--threads"),
        Arguments.of("run.threads", 1025, "--threads"),
        Arguments.of("run.modelEmaDecay", 1.0, "--model-ema-decay"),
        Arguments.of("run.modelEmaDecay", -0.5, "--model-ema-decay"),
        Arguments.of("run.modelEmaDecay", nan, "--model-ema-decay"),
        Arguments.of("run.evalEvery", 0, "--eval-every"));
  }

  @ParameterizedTest
  @MethodSource("badValues")
  void aBadValueIsRefusedByOptionAndValue(String setting, Object value, String option) {
    assertRefused(
        () -> TinyRun.with(config(Mode.TARGET), setting, value), option + " ", "" + value);
  }

  static Stream<Arguments> edges() {
    return Stream.of(
        Arguments.of("data.batchSize", 2),
        Arguments.of("data.valBatchSize", 1),
        Arguments.of("data.workers", 256),
        Arguments.of("optim.momentum", 0.0),
        Arguments.of("optim.beta1", 0.0),
        Arguments.of("optim.weightDecay", 0.0),
        Arguments.of("optim.smoothing", 0.0),
        Arguments.of("schedule.epochs", 1),
        Arguments.of("schedule.warmupEpochs", 1.999),
        Arguments.of("schedule.decayRate", 1.0),
        Arguments.of("run.threads", 0),
        Arguments.of("run.seed", -1L));
  }

  @ParameterizedTest
  @MethodSource("edges")
  void theLastGoodValueIsTaken(String setting, Object value) {
    TrainConfig changed = TinyRun.with(config(Mode.TARGET), setting, value);
    assertFalse(changed.equals(TinyRun.with(changed, setting, value).withMode(Mode.CSLA)));
    assertEquals(changed, TinyRun.with(config(Mode.TARGET), setting, value));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "arch",
        "mode",
        "data",
        "data.data",
        "optim",
        "schedule",
        "run",
        "optim.opt",
        "schedule.sched",
        "run.device",
        "run.precision",
        "run.output"
      })
  void nothingButScalesAndDataDirMayBeNull(String setting) {
    assertThrows(
        NullPointerException.class, () -> TinyRun.with(config(Mode.TARGET), setting, null));
  }

  @Test
  void clippingWithGradMultsIsRefusedUnlessAllowed() {
    TrainConfig scaled = TinyRun.with(config(Mode.TARGET), "scales", SCALES);
    assertRefused(
        () -> TinyRun.with(scaled, "optim.clipGrad", 2.5),
        "--clip-grad 2.5",
        "Grad Mult",
        "--allow-clip-with-grad-mults");
    TrainConfig allowed = TinyRun.with(scaled, "optim.clipWithGradMults", true);
    assertEquals(2.5, TinyRun.with(allowed, "optim.clipGrad", 2.5).optim().clipGrad());
  }

  @ParameterizedTest
  @EnumSource(names = {"TARGET", "CSLA", "HS", "MULTI_BRANCH"})
  void clippingWithoutGradMultsIsFine(Mode mode) {
    TrainConfig clipped = TinyRun.with(config(mode), "optim.clipGrad", 5.0);
    assertEquals(5.0, clipped.optim().clipGrad());
    if (mode == Mode.CSLA) {
      assertFalse(TinyRun.with(clipped, "scales", SCALES).usesGradMults());
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"HS", "MULTI_BRANCH"})
  void scalesAreRefusedWhereTheyHaveNoUse(Mode mode) {
    assertRefused(
        () -> TinyRun.with(config(mode), "scales", SCALES), "--scales", "--mode " + mode, "target");
    assertRefused(
        () -> TinyRun.with(config(Mode.TARGET), "scales", SCALES).withMode(mode), "--scales");
  }

  @Test
  void deployIsRefused() {
    assertRefused(() -> config(Mode.DEPLOY), "--mode deploy", "target");
  }

  @Test
  void gradMultsAreUsedByATargetWithScales() {
    assertFalse(config(Mode.TARGET).usesGradMults());
    TrainConfig scaled = TinyRun.with(config(Mode.TARGET), "scales", SCALES);
    assertTrue(scaled.usesGradMults());
    assertFalse(scaled.withMode(Mode.CSLA).usesGradMults());
  }

  @Test
  void ratesAreForA256thOfTheImagesOfAStep() {
    assertEquals(8 / 256.0, config(Mode.HS).lrScale());
    TrainConfig accumulating = TinyRun.with(config(Mode.HS), "optim.gradAccumSteps", 3);
    assertEquals(96 / 256.0, TinyRun.with(accumulating, "data.batchSize", 32).lrScale());
    TrainConfig large = TinyRun.with(config(Mode.HS), "data.batchSize", 65536);
    assertEquals(
        65536.0 * 65536 / 256, TinyRun.with(large, "optim.gradAccumSteps", 65536).lrScale());
  }

  @Test
  void anotherFolderChangesNothingElse() {
    TrainConfig config = config(Mode.HS);
    TrainConfig moved = config.withOutput(Path.of("there"));
    assertEquals(Path.of("there"), moved.run().output());
    assertEquals(config, moved.withOutput(OUTPUT));
  }
}
