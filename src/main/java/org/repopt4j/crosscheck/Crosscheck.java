package org.repopt4j.crosscheck;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import org.repopt4j.io.InvalidFileException;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;

/**
 * Computes the cases of a manifest again and compares with what the official code made of them.
 *
 * @param torch the version of PyTorch that the official code ran on
 * @param numpy the version of NumPy
 * @param python the version of Python
 * @param seed of the random cases
 * @param cases how many cases there were
 * @param findings one for each quantity of each case, in order
 */
public record Crosscheck(
    String torch,
    String numpy,
    String python,
    long seed,
    int cases,
    ImmutableList<Finding> findings) {

  /**
   * Compares all cases.
   *
   * @param results the folder with {@code manifest.json} and the files that it names
   * @param official the clone, for the released scales
   * @param progress is told the name of each case that begins
   * @throws IOException if a file of the folder is missing or broken
   */
  public static Crosscheck run(Path results, Path official, Consumer<String> progress)
      throws IOException {
    JsonNode manifest = manifest(results.resolve("manifest.json"));
    ImmutableList.Builder<Finding> findings = ImmutableList.builder();
    JsonNode cases = manifest.path("cases");
    for (JsonNode json : cases) {
      progress.accept(json.get("id").asText());
      findings.addAll(compare(json, results, official));
    }
    return new Crosscheck(
        manifest.path("torch").asText(),
        manifest.path("numpy").asText(),
        manifest.path("python").asText(),
        manifest.path("seed").asLong(),
        cases.size(),
        findings.build());
  }

  /** What Python left, which must be something to compare with: no case would be no fault. */
  private static JsonNode manifest(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new InvalidFileException(file, "Python ended without leaving results");
    }
    JsonNode manifest;
    try {
      manifest = new ObjectMapper().readTree(file.toFile());
    } catch (JsonProcessingException e) {
      throw new InvalidFileException(
          file, "Python left results that cannot be read: " + e.getOriginalMessage());
    }
    JsonNode cases = manifest.path("cases");
    if (cases.isEmpty()) {
      throw new InvalidFileException(file, "Python left no cases, so there is nothing to compare");
    }
    for (JsonNode json : cases) {
      if (!json.path("id").isTextual() || !json.path("kind").isTextual()) {
        throw new InvalidFileException(file, "Python left a case without id or kind: " + json);
      }
    }
    return manifest;
  }

  private static ImmutableList<Finding> compare(JsonNode json, Path results, Path official)
      throws IOException {
    Findings findings = new Findings(json.get("id").asText());
    try (TensorFile tensors = tensors(json, results)) {
      switch (json.get("kind").asText()) {
        case "vgg", "ghost" -> new NetworkCase(json, tensors, findings).run();
        case "whole" -> WholeNetworkCase.run(json, tensors, findings);
        case "scales" -> ReleasedScalesCase.run(json, official, findings);
        case "schedule" -> ScheduleCase.run(json, findings);
        case "script" -> EquivalenceScriptCase.run(json, findings);
        default ->
            throw new InvalidFileException(
                results.resolve("manifest.json"), "it holds a case of unknown kind: " + json);
      }
    }
    return findings.all();
  }

  private static TensorFile tensors(JsonNode json, Path results) throws IOException {
    return json.has("file")
        ? StateDicts.read(results.resolve(json.get("file").asText()))
        : new TensorFile(Map.of(), Map.of(), ImmutableList.of());
  }

  /** Whether nothing departs. */
  public boolean holds() {
    return findings.stream().noneMatch(finding -> finding.verdict() == Verdict.DEPARTS);
  }
}
