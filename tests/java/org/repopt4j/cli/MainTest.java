package org.repopt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.train.Recipe;

/** Help, version and the commands that only tell. */
class MainTest {

  @ParameterizedTest
  @ValueSource(strings = {"doctor", "models", "verify", "search", "train", "eval", "bench", "demo"})
  void everyCommandHasHelpAndVersion(String command) {
    CapturedRun help = CapturedRun.of(command, "--help");
    assertEquals(0, help.code());
    assertTrue(help.out().startsWith("Usage: repopt " + command + " [OPTIONS]"), help::toString);
    assertEquals("", help.err());
    help.out().lines().forEach(line -> assertTrue(line.length() <= 110, line));
    assertFalse(help.out().contains("${"), help::toString);

    CapturedRun version = CapturedRun.of(command, "--version");
    assertTrue(version.out().startsWith("repopt4j "), version::toString);
  }

  @Test
  void theCommandsAreListedWithOneLineEach() {
    CapturedRun help = CapturedRun.of();
    assertEquals(0, help.code());
    for (String command :
        new String[] {"doctor", "models", "verify", "search", "train", "eval", "bench", "demo"}) {
      assertEquals(
          1,
          help.out()
              .lines()
              .filter(line -> line.startsWith("  " + command + " ") && line.endsWith("."))
              .count(),
          command);
    }
    assertEquals(help, CapturedRun.of("--help"));
  }

  @Test
  void helpOfTrainShowsTheRecipesNumbers() {
    String help = CapturedRun.of("train", "--help").out();
    for (Recipe recipe : Recipe.values()) {
      assertTrue(
          help.lines()
              .anyMatch(
                  line ->
                      line.matches(
                          recipe + " +" + recipe.batchSize() + " +" + recipe.epochs() + " .*")),
          recipe + " in " + help);
    }
    assertTrue(help.contains("(default: fp32)"), help);
    assertTrue(help.contains("--opt-betas=B1,B2 "), help);
  }

  @Test
  void modelsAsJsonCountTheCatalog() throws IOException {
    JsonNode rows = CapturedRun.of("models", "--json", "--num-classes", "10").json();
    assertEquals(Architecture.names().size(), rows.size());
    for (JsonNode row : rows) {
      Architecture arch = Architecture.parse(row.get("architecture").asText());
      assertEquals(
          arch.parameters(Mode.TARGET, 10), row.get("parameters_target").asLong(), arch.spec());
    }
  }

  @Test
  void modelsTakesACustomArchitecture() throws IOException {
    CapturedRun run =
        CapturedRun.of(
            "models",
            "--arch",
            "custom",
            "--num-blocks",
            "1,2,2,1",
            "--width",
            "1,1,1,1",
            "--json");
    assertEquals(1, run.json().size());
    assertTrue(run.json().get(0).get("architecture").asText().startsWith("custom:"));
  }

  @Test
  void verifyHolds() throws IOException {
    CapturedRun run = CapturedRun.of("verify", "--steps", "2", "--seed", "7", "--json");
    assertEquals(0, run.code(), run::toString);
    assertTrue(run.json().size() >= 6);
    for (JsonNode row : run.json()) {
      if (!row.get("rule").asText().equals("adamw-official")) {
        assertEquals("equal", row.get("verdict").asText(), row::toString);
        assertTrue(row.get("float64").asDouble() < 1e-11, row::toString);
      }
    }
  }

  @Test
  void doctorFindsLibtorch() throws IOException {
    JsonNode facts = CapturedRun.of("doctor", "--json").json();
    assertTrue(facts.get("libtorch").get("loaded").asBoolean(), facts::toString);
    assertEquals("work", facts.get("device").get("convolutions").asText(), facts::toString);
    CapturedRun text = CapturedRun.of("doctor");
    assertEquals(0, text.code());
    assertTrue(text.out().contains("libtorch"), text::toString);
  }

  @Test
  void doctorSaysWhichDeviceJobsTakeAndWhy() throws IOException {
    JsonNode cpu = CapturedRun.of("doctor", "--device", "cpu", "--json").json();
    assertEquals("cpu", cpu.get("device").get("jobs take").asText());
    assertEquals("asked for", cpu.get("device").get("because").asText());
    assertFalse(cpu.has("cuda"));
    CapturedRun cuda = CapturedRun.of("doctor", "--device", "cuda", "--json");
    JsonNode device = cuda.json().get("device");
    assertEquals(device.get("usable").asBoolean() ? 0 : 1, cuda.code());
    assertTrue(device.get("usable").asBoolean() || device.has("why not"), cuda::toString);
    for (JsonNode library : cuda.json().get("cuda").get("libraries")) {
      assertTrue(library.get("found").asText().matches("missing: .*install.*|.*/.*"));
    }
  }
}
