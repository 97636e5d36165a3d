package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import com.google.common.hash.Hashing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.nn.Mode;
import org.repopt4j.testkit.OneThread;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.CheckpointSettings.OnNan;

/** A run that goes on from a checkpoint that is not its newest, is another's, or is spoilt. */
@ExtendWith(OneThread.class)
@Tag("slow")
class GoingBackTest {
  @TempDir Path folder;

  private NoStepWhileWriting listener;
  private Session session;
  private Path run;

  /** Six steps an epoch, a checkpoint every four: 4, 8, 12, 16, and one at the end. */
  @BeforeEach
  void aWholeRun() throws IOException {
    run = folder.resolve("run");
    assertFalse(train(run, null, () -> false).stopped());
  }

  private TrainConfig config(Path output) {
    TrainConfig config = TinyRun.config(Mode.HS, output);
    config = TinyRun.with(config, "run.deterministic", true);
    config = TinyRun.with(config, "run.modelEmaDecay", 0.9);
    config = TinyRun.with(config, "optim.opt", UpdateRule.ADAMW_EXACT);
    config = TinyRun.with(config, "optim.lr", 0.03);
    return TinyRun.with(config, "schedule.epochs", 3);
  }

  private TrainResult train(Path output, String resume, BooleanSupplier stop) throws IOException {
    return train(config(output), resume, stop);
  }

  private TrainResult train(TrainConfig config, String resume, BooleanSupplier stop)
      throws IOException {
    CheckpointSettings settings = ResumeTest.settings("4", resume, OnNan.STOP);
    session = TinyTraining.session(config, TinyRun.data(), settings);
    listener = new NoStepWhileWriting();
    return new Trainer(
            config,
            session,
            settings,
            new FileStorage(),
            listener,
            () -> !listener.getAsBoolean() && stop.getAsBoolean())
        .run();
  }

  private List<String> checkpoints(Path output) throws IOException {
    try (var entries = Files.list(output.resolve("checkpoints"))) {
      return entries.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  private Path checkpoint(String name) {
    return run.resolve("checkpoints").resolve(name);
  }

  @Test
  void theRunsEndHasACheckpointFromWhichNothingIsTrainedAgain() throws IOException {
    assertEquals(List.of("step-000000000016", "step-000000000018"), checkpoints(run));
    Map<String, Tensor> end = TinyTraining.state(session.network());
    EpochRow row = train(run, "auto", () -> true).last();
    assertEquals(2, row.epoch());
    assertTrue(row.evalTop1() > 0);
    session.network().stateDict().forEach((name, t) -> assertBitEqual(name, end.get(name), t));
    assertEquals(List.of("step-000000000016", "step-000000000018"), checkpoints(run));
  }

  /** From step 16 although 18 is there; stopped at once; then the newest is that of this way. */
  @Test
  void whatWasLeftBehindIsNotGoneOnFrom() throws IOException {
    Map<String, Tensor> end = TinyTraining.state(session.network());
    assertTrue(train(run, checkpoint("step-000000000016").toString(), () -> true).stopped());
    assertEquals("step-000000000017-2", checkpoints(run).get(1), () -> "" + listener.notices);
    assertFalse(train(run, "auto", () -> false).stopped());
    assertTrue(
        listener.notices.get(0).startsWith("resuming after step 17 "), listener.notices::toString);
    assertEquals("step-000000000018-2", checkpoints(run).get(1));
    session.network().stateDict().forEach((name, t) -> assertBitEqual(name, end.get(name), t));
  }

  @Test
  void anotherFolderTakesOverARun() throws IOException {
    Map<String, Tensor> end = TinyTraining.state(session.network());
    Path other = folder.resolve("other");
    train(other, checkpoint("step-000000000016").toString(), () -> false);
    session.network().stateDict().forEach((name, t) -> assertBitEqual(name, end.get(name), t));
    assertEquals(rows(run), rows(other));
    assertTrue(Files.exists(other.resolve("best.safetensors")), "the best of its own epochs");
    assertEquals(List.of("step-000000000016", "step-000000000018"), checkpoints(run));
  }

  /** Settings that changed, and a network that the checkpoint does not fit. */
  @Test
  void aRefusedCheckpointLeavesNothingWhereTheRunWouldHaveBeen() {
    Path other = folder.resolve("left").resolve("other");
    String from = checkpoint("step-000000000016").toString();
    TrainConfig changed = TinyRun.with(config(other), "optim.lr", 0.04);
    assertRefused(() -> train(changed, from, () -> true), "lr was 0.03", "--resume-anyway");
    assertTrue(Files.notExists(other.getParent()));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aCheckpointWithoutASettingThatCameLaterGoesOn(boolean decisive) throws IOException {
    Path manifest = checkpoint("step-000000000018").resolve("manifest.json");
    String setting = decisive ? "\"smoothing\" : \"0.1\"," : "\"recompute\" : \"false\",";
    String json = Files.readString(manifest);
    assertTrue(json.contains(setting), json);
    hashed(manifest, json.replace(setting, ""));
    if (decisive) {
      assertRefused(() -> train(run, "auto", () -> true), "smoothing was null, is 0.1", "anyway");
    } else {
      train(run, "auto", () -> true);
      assertTrue(
          listener.notices.contains("changed: recompute was null, is false"),
          listener.notices::toString);
    }
  }

  private static List<String> rows(Path output) throws IOException {
    return Files.readAllLines(output.resolve("summary.csv")).stream()
        .map(line -> line.replaceAll(",[^,]*,[^,]*$", ""))
        .toList();
  }

  @Test
  void aRunOfWhichNoCheckpointIsWholeIsNotWrittenOver() throws IOException {
    for (String name : checkpoints(run)) {
      Files.delete(checkpoint(name).resolve("optimizer.safetensors"));
    }
    byte[] best = Files.readAllBytes(run.resolve("best.safetensors"));
    List<String> summary = Files.readAllLines(run.resolve("summary.csv"));
    IOException refused = assertThrows(IOException.class, () -> train(run, "auto", () -> true));
    assertTrue(refused.getMessage().contains("none of the checkpoints"), refused::getMessage);
    assertEquals(2, listener.notices.size(), listener.notices::toString);
    assertEquals(summary, Files.readAllLines(run.resolve("summary.csv")));
    assertEquals(
        Hashing.sha256().hashBytes(best),
        Hashing.sha256().hashBytes(Files.readAllBytes(run.resolve("best.safetensors"))));
  }

  /** With the right hash, as by a program that writes something else. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"epoch\" : \"3\" | \"epoch\" : \"-3\" | how far its run was",
        "\"epoch\" : \"3\" | \"epoch\" : \"3e0\" | how far its run was",
        "\"epoch\" : \"3\" | \"epochs\" : \"3\" | how far its run was",
        "\"next_batch\" : \"0\" | \"next_batch\" : \"99999999999\" | how far its run was",
        "\"sums\" : \"0.0 0.0 0.0\" | \"sums\" : \"0.0\" | how far its run was",
        "\"sums\" : \"0.0 0.0 0.0\" | \"sums\" : \"a b c\" | how far its run was",
        "\"row 1\" : \" | \"row 1\" : \"1 | how far its run was",
        "\"row 1\" : \" | \"row 1\" : \"1 2 | how far its run was",
        "\"optimizer_rule\" : \"ADAMW_EXACT\" | \"optimizer_rule\" : \"ADAM\" | its optimizer was",
        "\"optimizer_rule\" : \"ADAMW_EXACT\" | \"rule\" : \"ADAM\" | its optimizer was",
        "\"optimizer_rule\" : \"ADAMW_EXACT\" | \"optimizer_rule\" : \"SGD\" | does not fit this run",
        "\"optimizer_lr\" : \" | \"optimizer_lr\" : \"x | its optimizer was",
        "\"optimizer_lr\" : \" | \"optimizer_lr\" : \"- | its optimizer was",
        "\"steps of linear.bias\" : \"18\" | \"steps of linear.bias\" : \"-18\" | does not fit",
        "\"steps of linear.bias\" : \"18\" | \"steps of linear.bias\" : \"\" | its optimizer was",
        "\"steps of linear.bias\" : \"18\" | \"x\" : \"\" | does not fit this run",
      })
  void valuesThatMakeNoSenseAreRefused(String before, String after, String said)
      throws IOException {
    Path manifest = checkpoint("step-000000000018").resolve("manifest.json");
    String json = Files.readString(manifest);
    assertTrue(json.contains(before), json);
    String other =
        after.endsWith("\"1")
            ? json.replace(before, after + "e400 x ")
            : json.replace(before, after);
    hashed(manifest, other);
    List<String> summary = Files.readAllLines(run.resolve("summary.csv"));
    IOException refused = assertThrows(IOException.class, () -> train(run, "auto", () -> true));
    assertTrue(refused.getMessage().contains(said), refused::getMessage);
    assertFalse(refused.getMessage().contains("\n"), refused::getMessage);
    assertEquals(summary, Files.readAllLines(run.resolve("summary.csv")));
  }

  private static void hashed(Path manifest, String json) throws IOException {
    Files.writeString(manifest, json);
    Files.writeString(
        manifest.resolveSibling("manifest.sha256"),
        Hashing.sha256().hashBytes(Files.readAllBytes(manifest)).toString());
  }

  /** Tensors of another kind under the right names, their hashes right. */
  @ParameterizedTest
  @ValueSource(strings = {"model", "ema", "optimizer", "random"})
  void filesThatHoldSomethingElseAreRefused(String group) throws IOException {
    Path newest = checkpoint("step-000000000018");
    String instead = group.equals("random") ? "model" : "random";
    Path file = newest.resolve(group + ".safetensors");
    Path manifest = newest.resolve("manifest.json");
    String json = Files.readString(manifest);
    for (String hash : List.of(hash(file), hash(newest.resolve(instead + ".safetensors")))) {
      assertTrue(json.contains(hash));
    }
    String old = "\"bytes\" : " + Files.size(file) + ",\n      \"sha256\" : \"" + hash(file);
    Files.copy(
        newest.resolve(instead + ".safetensors"),
        file,
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    String name = "\"" + group + ".safetensors\" : {\n      ";
    assertTrue(json.contains(name + old), json);
    hashed(
        manifest,
        json.replace(
            name + old,
            name + "\"bytes\" : " + Files.size(file) + ",\n      \"sha256\" : \"" + hash(file)));
    IOException refused = assertThrows(IOException.class, () -> train(run, "auto", () -> true));
    assertTrue(refused.getMessage().contains("does not fit this run: "), refused::getMessage);
    assertFalse(refused.getMessage().contains("\n"), refused::getMessage);
  }

  private static String hash(Path file) throws IOException {
    return Hashing.sha256().hashBytes(Files.readAllBytes(file)).toString();
  }

  @Test
  void aCheckpointOfAnotherNetworkIsRefusedEvenIfForced() {
    TrainConfig other =
        TinyRun.with(
            config(run),
            "arch",
            org.repopt4j.nn.Architecture.custom(
                List.of(1, 1, 1, 1),
                List.of(0.25, 0.125, 0.0625, 0.03125),
                List.of(1, 1, 2, 2, 1)));
    assertRefused(() -> train(other, "auto", () -> true), "arch was custom", "--resume-anyway");
  }

  @ParameterizedTest
  @ValueSource(strings = {"999999999h", "999999999m", "999999999s", "999999999"})
  void anIntervalOfAnyLengthIsOne(String every) throws IOException {
    TrainConfig config = config(folder.resolve("long"));
    CheckpointSettings settings = ResumeTest.settings(every, null, OnNan.STOP);
    Session seldom = TinyTraining.session(config, TinyRun.data(), settings);
    TrainResult result =
        new Trainer(
                config, seldom, settings, new FileStorage(), new TrainListener() {}, () -> false)
            .run();
    assertEquals(2, result.last().epoch());
    assertEquals(List.of("step-000000000018"), checkpoints(folder.resolve("long")));
  }
}
