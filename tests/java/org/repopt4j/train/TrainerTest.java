package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;
import static org.repopt4j.testkit.TensorAsserts.assertRelative;
import static org.repopt4j.testkit.TensorAsserts.relative;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.data.Batch;
import org.repopt4j.data.BatchLoader;
import org.repopt4j.data.Epoch;
import org.repopt4j.nn.Equivalence;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.nn.Scales;
import org.repopt4j.optim.LearningRateSchedule;
import org.repopt4j.optim.ParameterGroups;
import org.repopt4j.optim.RepOptimizer;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.ScheduleSettings.Curve;

/** What a run computes. */
@ExtendWith(OneThread.class)
class TrainerTest {
  @TempDir private Path folder;

  private TrainConfig config(Mode mode) {
    return TinyRun.config(mode, folder.resolve("run"));
  }

  private static List<String> rowsWithoutTimes(Session session) throws IOException {
    List<String> rows = new ArrayList<>();
    for (String line : Files.readAllLines(session.folder().path().resolve("summary.csv"))) {
      List<String> cells = List.of(line.split(",", -1));
      rows.add(String.join(",", cells.subList(0, cells.size() - 2)));
    }
    return rows;
  }

  @ParameterizedTest
  @EnumSource(names = {"TARGET", "HS", "MULTI_BRANCH"})
  void theSeedDecidesEverythingAndTheWorkersNothing(Mode mode) throws IOException {
    Session first = TinyTraining.session(config(mode));
    TinyTraining.run(first);
    TrainConfig again = TinyRun.with(config(mode), "data.workers", 3);
    Session second = TinyTraining.session(again.withOutput(folder.resolve("again")));
    TinyTraining.run(second);
    TrainConfig other = TinyRun.with(config(mode), "run.seed", 8L);
    Session third = TinyTraining.session(other.withOutput(folder.resolve("other")));
    TinyTraining.run(third);

    Map<String, Tensor> state = second.network().stateDict();
    first
        .network()
        .stateDict()
        .forEach((name, expected) -> assertBitEqual(name, expected, state.get(name)));
    assertEquals(3, rowsWithoutTimes(first).size());
    assertEquals(rowsWithoutTimes(first), rowsWithoutTimes(second));
    assertNotEquals(rowsWithoutTimes(first), rowsWithoutTimes(third));
    Tensor kernel = third.network().stateDict().get("linear.weight");
    assertTrue(relative(kernel, state.get("linear.weight")) > 0.1);
  }

  /**
   * The official loop by hand: the gradients of so many batches, the norm's limit, a step at the
   * rate that the step before it left, what is left over at an epoch's end dropped.
   */
  private static long naive(Session session, Network network) {
    TrainConfig config = session.config();
    int accumulate = config.optim().gradAccumSteps();
    BatchLoader loader = session.trainLoader();
    int batches = loader.batchesPerEpoch();
    double scale = 8.0 * accumulate / 256;
    double base = config.optim().lr() * scale;
    double warmupLr = config.schedule().warmupLr() * scale;
    LearningRateSchedule schedule =
        LearningRateSchedule.cosine(base, 3L * batches, 0, batches, warmupLr);
    RepOptimizer optimizer =
        RepOptimizer.sgd(ParameterGroups.official(network.namedParameters(), 4e-5))
            .momentum(0.9)
            .nesterov(true)
            .build();
    double lr = warmupLr;
    long updates = 0;
    for (int epoch = 0; epoch < 3; epoch++) {
      optimizer.zeroGrad();
      try (Epoch all = loader.epoch(epoch)) {
        for (Batch next : all) {
          try (Batch batch = next;
              StepScope scope = StepScope.open()) {
            Tensor logits = network.forward(batch.images());
            Tensor loss = Losses.crossEntropy(logits, batch.labels(), 0.1);
            Losses.share(loss, accumulate).backward();
            if ((batch.step() + 1) % accumulate == 0) {
              clip(network, config.optim().clipGrad());
              optimizer.step(lr);
              optimizer.zeroGrad();
              updates++;
              lr = schedule.at((long) epoch * batches + batch.step());
            }
          }
        }
      }
    }
    return updates;
  }

  private static void clip(Network network, double most) {
    if (most == 0) {
      return;
    }
    double squares = 0;
    for (Tensor parameter : network.namedParameters().values()) {
      for (double one : Tensors.toDoubles(parameter.grad())) {
        squares += one * one;
      }
    }
    double factor = Math.min(1, most / (Math.sqrt(squares) + 1e-6));
    try (NoGrad noGrad = NoGrad.open()) {
      for (Tensor parameter : network.namedParameters().values()) {
        parameter.grad().mul_(Tensors.of(new float[] {(float) factor}, 1));
      }
    }
  }

  /** Of an epoch's six batches, four at a time leave two that make no step. */
  @ParameterizedTest
  @CsvSource({"1, 0, 18", "2, 0, 9", "4, 0, 3", "1, 0.5, 18", "2, 0.5, 9"})
  void isTheOfficialLoopByHand(int accumulate, double clip, long updates) throws IOException {
    TrainConfig config =
        TinyRun.with(
            TinyRun.with(config(Mode.TARGET), "optim.gradAccumSteps", accumulate),
            "optim.clipGrad",
            clip);
    config =
        TinyRun.with(
            config, "schedule", new ScheduleSettings(Curve.COSINE, 3, 1, 0.02, 0, 30, 0.1));
    Session session = TinyTraining.session(config);
    Natives.manualSeed(config.run().seed());
    Network expected = TinyRun.ARCHITECTURE.target(TinyRun.CLASSES.size());
    TinyTraining.run(session);
    assertEquals(updates, naive(session, expected));
    Map<String, Tensor> state = session.network().stateDict();
    expected
        .stateDict()
        .forEach(
            (name, tensor) -> {
              if (clip == 0) {
                assertBitEqual(name, tensor, state.get(name));
              } else {
                assertRelative(name, 1e-3, tensor, state.get(name));
              }
            });
  }

  @Test
  void gradMultsMakeTheTargetFollowTheCslaNetworkAndNothingElseDoes() throws IOException {
    Scales scales = TinyTraining.scales(3);
    Natives.manualSeed(11);
    Network csla = TinyRun.ARCHITECTURE.csla(TinyRun.CLASSES.size());
    csla.setScales(scales);
    Network target = Equivalence.cslaToTarget(csla);
    Network plain = Equivalence.cslaToTarget(csla);
    Map<String, Tensor> beginning = TinyTraining.state(target);
    train(csla, GradMults.none(), "csla");
    train(target, target.gradMults(scales), "target");
    train(plain, GradMults.none(), "plain");

    Map<String, Tensor> expected = Equivalence.cslaToTarget(csla).stateDict();
    Map<String, Tensor> followed = target.stateDict();
    expected.forEach((name, tensor) -> assertRelative(name, 2e-3, tensor, followed.get(name)));
    double away = 0;
    for (String name : List.of("stage1.0.conv.weight", "stage2.0.conv.weight")) {
      assertTrue(relative(beginning.get(name), expected.get(name)) > 0.02, name + " has moved");
      away = Math.max(away, relative(expected.get(name), plain.stateDict().get(name)));
    }
    assertTrue(away > 0.02, "plain SGD must not follow: " + away);
    assertRelative("logits", 5e-3, logits(csla), logits(target));
    assertTrue(relative(logits(csla), logits(plain)) > 0.05);
  }

  private void train(Network network, GradMults mults, String name) throws IOException {
    TrainConfig config =
        TinyRun.config(network.mode(), folder.resolve(name)).withOutput(folder.resolve(name));
    config = TinyRun.with(config, "schedule.epochs", 3);
    Session session = Session.of(config, TinyRun.data(), network, mults);
    assertEquals(UpdateRule.SGD, session.optimizer().rule());
    TinyTraining.run(session);
  }

  private static Tensor logits(Network network) {
    network.eval();
    try (NoGrad noGrad = NoGrad.open();
        Epoch epoch = BatchLoader.evaluation(TinyRun.data().test(), 20).epoch(0)) {
      for (Batch next : epoch) {
        try (Batch batch = next) {
          return network.forward(batch.images());
        }
      }
    }
    throw new AssertionError("there is one batch");
  }

  @ParameterizedTest
  @EnumSource(names = {"ADAMW_OFFICIAL", "ADAMW_EXACT"})
  void adamWTrainsToo(UpdateRule rule) throws IOException {
    TrainConfig config = TinyRun.with(config(Mode.HS), "optim.opt", rule);
    config = TinyRun.with(TinyRun.with(config, "optim.lr", 0.1), "schedule.epochs", 4);
    List<EpochRow> rows = new ArrayList<>();
    Session session = TinyTraining.session(config);
    TrainResult result =
        TinyTraining.run(
            session,
            new TrainListener() {
              @Override
              public void epochFinished(EpochRow row) {
                rows.add(row);
              }
            },
            () -> false);
    assertEquals(rule, session.optimizer().rule());
    assertEquals(4, rows.size());
    assertTrue(rows.get(3).trainLoss() < 0.9 * rows.get(0).trainLoss(), rows.toString());
    assertFalse(result.stopped());
    assertEquals(rows.get(3), result.last());
  }
}
