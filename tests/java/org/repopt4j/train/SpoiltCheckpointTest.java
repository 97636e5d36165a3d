package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;

import com.google.common.hash.Hashing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints whose hashes are right, but which another program or another release wrote. */
class SpoiltCheckpointTest extends AfterAWholeRun {
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
        "\"row 1\" : \" | \"line 1\" : \" | how far its run was",
        "\"epoch\" : \"3\" | \"epoch\" : \"2\" | how far its run was",
        "\"epoch\" : \"3\" | \"epoch\" : \"99\" | how far its run was",
        "\"optimizer_rule\" : \"ADAMW_EXACT\" | \"optimizer_rule\" : \"ADAM\" | its optimizer was",
        "\"optimizer_rule\" : \"ADAMW_EXACT\" | \"rule\" : \"ADAM\" | its optimizer was",
        "\"optimizer_rule\" : \"ADAMW_EXACT\" | \"optimizer_rule\" : \"SGD\" | does not fit this"
            + " run",
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
    String message = refused.getMessage();
    assertTrue(message.contains("does not fit this run: "), message);
    assertFalse(message.contains("\n"), message);
    if (group.equals("model") || group.equals("ema")) {
      List<String> names = List.copyOf(session.network().stateDict().keySet());
      String missing = "missing " + names.size() + ": " + String.join(", ", names.subList(0, 3));
      assertTrue(message.endsWith(missing + ", ...; unexpected 1: cpu"), message);
    }
  }

  private static String hash(Path file) throws IOException {
    return Hashing.sha256().hashBytes(Files.readAllBytes(file)).toString();
  }
}
