package org.repopt4j.crosscheck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.testkit.OneThread;

/**
 * Against kept files of numbers that the official code computed: {@code official_side.py --cases 4
 * --seed 1797 --small --no-whole --threads 1}.
 */
@ExtendWith(OneThread.class)
class CrosscheckTest {
  static final Path KEPT = Path.of("tests/resources/org/repopt4j/crosscheck");

  @TempDir Path folder;

  /** The kept results with a changed case. */
  private Path changed(String id, Consumer<ObjectNode> change) throws IOException {
    try (Stream<Path> files = Files.list(KEPT)) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
    Path manifest = folder.resolve("manifest.json");
    ObjectNode json = (ObjectNode) new ObjectMapper().readTree(manifest.toFile());
    json.get("cases")
        .forEach(
            c -> {
              if (c.get("id").asText().equals(id)) {
                change.accept((ObjectNode) c);
              }
            });
    new ObjectMapper().writeValue(manifest.toFile(), json);
    return folder;
  }

  private static Crosscheck run(Path results) throws IOException {
    return Crosscheck.run(results, Path.of("absent"), subject -> {});
  }

  private static Set<String> departing(Crosscheck check) {
    return check.findings().stream()
        .filter(finding -> finding.verdict() == Verdict.DEPARTS)
        .map(Finding::title)
        .collect(Collectors.toSet());
  }

  @Test
  void theOfficialResultsAreComputedHere() throws IOException {
    List<String> begun = new ArrayList<>();
    Crosscheck check = Crosscheck.run(KEPT, Path.of("absent"), begun::add);
    assertEquals(Set.of(), departing(check));
    assertTrue(check.holds());
    assertEquals(
        List.of(
            "vgg-01",
            "ghost-01",
            "vgg-02",
            "ghost-02",
            "schedule-01",
            "schedule-02",
            "schedule-03"),
        begun);
    Set<String> titles = check.findings().stream().map(Finding::title).collect(Collectors.toSet());
    for (String title :
        List.of(
            "initial values, hs",
            "weight-decay groups, csla",
            "forward train, float64, repvgg",
            "re-initialisation, identities from 1",
            "Grad Mults, adamw",
            "gradients of the first step, float32, sgd",
            "change of the weights in the first step, float64, adamw",
            "momentum buffers, float64, sgd",
            "exp_avg_sq, float64, adamw",
            "learning rate of each step, step")) {
      assertTrue(titles.contains(title), title);
    }
    for (Finding finding : check.findings()) {
      if (finding.quantity().matches("Grad Mults|initial values|re-initialisation")) {
        assertEquals(Verdict.BIT_EQUAL, finding.verdict(), finding.title());
      }
      assertTrue(finding.difference().values() > 0, finding.title());
    }
  }

  @Test
  void aDifferenceThatIsMeantIsNamedWithItsSize() throws IOException {
    List<Finding> meant =
        run(KEPT).findings().stream().filter(f -> f.verdict() == Verdict.ON_PURPOSE).toList();
    assertTrue(
        meant.stream()
            .map(Finding::title)
            .collect(Collectors.toSet())
            .containsAll(
                Set.of(
                    "gradients left after step(), adamw",
                    "weights after the last step, adamw exact",
                    "learning rate beyond the end, linear")));
    for (Finding finding : meant) {
      assertTrue(finding.difference().relative() > 1e-6, finding.title());
      assertFalse(finding.note().isEmpty());
    }
  }

  @Test
  void anotherLearningRateDeparts() throws IOException {
    Set<String> departing =
        departing(run(changed("vgg-01", c -> c.put("lr", c.get("lr").asDouble() * 1.001))));
    assertTrue(
        departing.contains("weights after the first step, float64, sgd"), departing::toString);
    assertTrue(
        departing.contains("weights after the last step, float64, sgd"), departing::toString);
    assertFalse(departing.contains("gradients of the first step, float64, sgd"));
    assertFalse(departing.contains("Grad Mults, sgd"));
  }

  @Test
  void anotherSeedDepartsEverywhere() throws IOException {
    Set<String> departing =
        departing(run(changed("ghost-01", c -> c.put("seed", c.get("seed").asLong() + 1))));
    for (String title :
        List.of(
            "initial values, target",
            "forward eval, float32, rep",
            "Grad Mults, sgd",
            "re-initialisation, identities from their scales",
            "losses, float64, adamw")) {
      assertTrue(departing.contains(title), title);
    }
  }

  @Test
  void anotherNameOrHashOrGroupDeparts() throws IOException {
    Set<String> departing =
        departing(
            run(
                changed(
                    "vgg-02",
                    c -> {
                      ObjectNode target = (ObjectNode) c.get("init").get("target");
                      target.put("linear.weight", "00" + target.get("linear.weight").asText());
                      ((ObjectNode) c.get("init").get("hs")).remove("linear.bias");
                      ((ArrayNode) c.get("groups").get("csla").get(0)).remove(0);
                    })));
    assertEquals(
        Set.of("initial values, target", "initial values, hs", "weight-decay groups, csla"),
        departing);
  }

  @Test
  void anotherRateDeparts() throws IOException {
    Set<String> departing =
        departing(
            run(changed("schedule-01", c -> c.put("min_lr", c.get("min_lr").asDouble() + 1e-9))));
    assertEquals(
        Set.of("learning rate after each step, cosine", "learning rate of each step, cosine"),
        departing);
  }

  @Test
  void thePageShowsEveryFindingAndItsVerdict() throws IOException {
    Crosscheck check = run(KEPT);
    String page = HtmlPage.of(check);
    assertTrue(page.contains("Nothing departs."));
    assertFalse(page.contains("src=") || page.contains("href="), "the page stands alone");
    for (Finding finding : check.findings()) {
      assertTrue(page.contains(finding.title()), finding.title());
    }
  }
}
