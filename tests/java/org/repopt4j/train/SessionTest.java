package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.nn.Scales;
import org.repopt4j.runtime.Natives;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.testkit.TinyRun;

@ExtendWith(OneThread.class)
class SessionTest {
  @TempDir private Path folder;

  private TrainConfig config(Mode mode) {
    return TinyRun.config(mode, folder.resolve("run"));
  }

  private TrainConfig digits(Mode mode) {
    return TinyRun.with(config(mode), "data.data", "digits");
  }

  private static Session withMults(TrainConfig config) throws IOException {
    Network network = TinyRun.ARCHITECTURE.target(6);
    GradMults mults = network.gradMults(TinyTraining.scales(1));
    return Session.of(config, TinyRun.data(), network, mults);
  }

  @Test
  void theSeedMakesTheNetworkAndItsReinitialization() throws IOException {
    Scales scales = TinyTraining.scales(2);
    Session session = Session.open(digits(Mode.TARGET), Optional.of(scales));
    Natives.manualSeed(7);
    Network network = TinyRun.ARCHITECTURE.target(10);
    network.reinitialize(scales);
    assertState(network, session.network());
    assertEquals(5, session.describe().gradMults());
    assertEquals(10, session.numClasses());
    assertFalse(Files.exists(folder.resolve("run")), "nothing is written before the run begins");
  }

  @ParameterizedTest
  @EnumSource(names = {"TARGET", "HS", "MULTI_BRANCH", "CSLA"})
  void withoutScalesTheNetworkIsTheFreshOne(Mode mode) throws IOException {
    Session session = Session.open(digits(mode), Optional.empty());
    Natives.manualSeed(7);
    assertState(TinyRun.ARCHITECTURE.build(mode, 10), session.network());
    assertEquals(0, session.describe().gradMults());
  }

  @Test
  void aCslaNetworkHasTheScalesAsConstants() throws IOException {
    Scales scales = TinyTraining.scales(2);
    Session session = Session.open(digits(Mode.CSLA), Optional.of(scales));
    assertEquals(scales, Scales.of(session.network()));
    assertEquals(0, session.describe().gradMults());
  }

  private static void assertState(Network expected, Network actual) {
    Map<String, Tensor> state = actual.stateDict();
    expected.stateDict().forEach((name, tensor) -> assertBitEqual(name, tensor, state.get(name)));
  }

  @Test
  void clippingIsRefusedWithGradMultsFromAnywhere() throws IOException {
    TrainConfig clipping = TinyRun.with(config(Mode.TARGET), "optim.clipGrad", 5.0);
    String[] sentence = {"--clip-grad 5.0", "--allow-clip-with-grad-mults"};
    assertRefused(() -> withMults(clipping), sentence);
    TrainConfig open = TinyRun.with(clipping, "data.data", "digits");
    assertRefused(() -> Session.open(open, Optional.of(TinyTraining.scales(1))), sentence);
    assertNotNull(withMults(TinyRun.with(clipping, "optim.clipWithGradMults", true)));
    assertNotNull(TinyTraining.session(clipping), "without Grad Mults it is an ordinary thing");
  }

  @Test
  void scalesThatWereNamedMustHaveBeenRead() {
    TrainConfig named = TinyRun.with(digits(Mode.TARGET), "scales", Path.of("lost.pth"));
    assertRefused(() -> Session.open(named, Optional.empty()), "--scales lost.pth");
  }

  @Test
  void moreBatchesAStepThanAnEpochHasAreRefused() throws IOException {
    assertNotNull(TinyTraining.session(TinyRun.with(config(Mode.HS), "optim.gradAccumSteps", 6)));
    assertRefused(
        () -> TinyTraining.session(TinyRun.with(config(Mode.HS), "optim.gradAccumSteps", 7)),
        "--grad-accum-steps 7",
        "6 batches");
  }

  @Test
  void aBatchLargerThanTheDataIsRefused() throws IOException {
    assertNotNull(TinyTraining.session(TinyRun.with(config(Mode.HS), "data.batchSize", 48)));
    assertRefused(
        () -> TinyTraining.session(TinyRun.with(config(Mode.HS), "data.batchSize", 49)),
        "--batch-size 49",
        "48 images");
  }

  @Test
  void unknownDataAndDevicesAreRefused() {
    assertRefused(() -> Session.open(config(Mode.HS), Optional.empty()), "'tiny'", "digits");
    TrainConfig tpu = TinyRun.with(digits(Mode.HS), "run.device", "tpu");
    assertRefused(() -> Session.open(tpu, Optional.empty()), "'tpu'", "auto, cpu");
  }

  @Test
  void settingsReachLoaderAndOptimizer() throws IOException {
    TrainConfig config = TinyRun.with(config(Mode.HS), "data.noAug", true);
    config = TinyRun.with(config, "data.workers", 5);
    config = TinyRun.with(config, "optim.opt", UpdateRule.ADAMW_EXACT);
    Session session = TinyTraining.session(config);
    assertEquals(0, session.trainLoader().options().augmentation().padding());
    assertEquals(5, session.trainLoader().options().workers());
    assertEquals(8, session.trainLoader().options().batchSize());
    assertEquals(7, session.trainLoader().options().seed());
    assertEquals(7, session.testLoader().options().batchSize());
    assertEquals(UpdateRule.ADAMW_EXACT, session.optimizer().rule());
    assertEquals(0.05, session.optimizer().learningRate(), 1e-15);
    assertEquals(4e-5, session.optimizer().groups().groups().get(0).weightDecay());
    assertEquals(0, session.optimizer().groups().groups().get(1).weightDecay());
    assertTrue(session.ema().isEmpty());
    Session flipless = TinyTraining.session(TinyRun.with(config(Mode.HS), "data.noFlip", true));
    assertEquals(1, flipless.trainLoader().options().augmentation().padding());
    assertFalse(flipless.trainLoader().options().augmentation().flip());
  }

  @Test
  void processWideSettingsHoldForANetworkOfTheCallersOwn() throws IOException {
    try {
      TrainConfig config = TinyRun.with(config(Mode.HS), "run.deterministic", true);
      TinyTraining.session(TinyRun.with(config, "run.threads", 2));
      assertEquals(2, Natives.threads());
      assertTrue(torch.globalContext().deterministicAlgorithms());
    } finally {
      Natives.threads(1);
      Natives.deterministic(false);
    }
  }
}
