package org.repopt4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.google.common.hash.Hashing;
import com.google.common.io.MoreFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** The texts of a checkpoint, and what its files must be; see {@link Checkpoint} for the format. */
record Manifest(
    long step,
    Map<String, String> values,
    Map<String, String> configuration,
    Map<String, String> versions,
    Map<String, Entry> files) {
  static final String FILE = "manifest.json";
  static final String HASH = "manifest.sha256";

  private static final String FORMAT = "repopt4j checkpoint";
  private static final int VERSION = 1;
  private static final long LARGEST = 64 << 20;
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  record Entry(long bytes, String sha256) {
    static Entry of(Path file) throws IOException {
      return new Entry(
          Files.size(file), MoreFiles.asByteSource(file).hash(Hashing.sha256()).toString());
    }
  }

  byte[] json() throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("format", FORMAT);
    all.put("version", VERSION);
    all.put("step", step);
    all.put("values", values);
    all.put("configuration", configuration);
    all.put("versions", versions);
    all.put("files", files);
    return JSON.writeValueAsBytes(all);
  }

  static String hash(byte[] json) {
    return Hashing.sha256().hashBytes(json).toString();
  }

  /**
   * The manifest of a checkpoint, its hash verified, its files not yet.
   *
   * @throws IOException with one sentence, if it is missing or damaged
   */
  static Manifest read(Path folder) throws IOException {
    byte[] json = bytes(folder.resolve(FILE));
    String expected = new String(bytes(folder.resolve(HASH)), StandardCharsets.US_ASCII).strip();
    if (!hash(json).equals(expected)) {
      throw new IOException(folder + ": " + FILE + " does not have the hash in " + HASH);
    }
    JsonNode all = JSON.readTree(json);
    int version = all.path("version").asInt();
    if (!all.path("format").asText().equals(FORMAT) || version != VERSION) {
      throw new IOException(
          folder + ": is a checkpoint of format version " + version + "; this release reads 1");
    }
    Map<String, Entry> files = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> file : all.path("files").properties()) {
      files.put(
          file.getKey(),
          new Entry(
              file.getValue().path("bytes").asLong(), file.getValue().path("sha256").asText()));
    }
    return new Manifest(
        all.path("step").asLong(),
        texts(all.path("values")),
        texts(all.path("configuration")),
        texts(all.path("versions")),
        files);
  }

  private static byte[] bytes(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException(file + ": is missing");
    }
    if (Files.size(file) > LARGEST) {
      throw new IOException(file + ": is too large to be a manifest");
    }
    return Files.readAllBytes(file);
  }

  private static Map<String, String> texts(JsonNode node) {
    Map<String, String> texts = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      texts.put(entry.getKey(), entry.getValue().asText());
    }
    return texts;
  }

  /**
   * Compares every file with what is written down.
   *
   * @throws IOException naming the first that differs
   */
  void verifyFiles(Path folder) throws IOException {
    for (Map.Entry<String, Entry> expected : files.entrySet()) {
      Path file = folder.resolve(expected.getKey());
      if (!Files.isRegularFile(file)) {
        throw new IOException(file + ": is missing");
      }
      long bytes = Files.size(file);
      if (bytes != expected.getValue().bytes()) {
        throw new IOException(
            file + ": has " + bytes + " bytes instead of " + expected.getValue().bytes());
      }
      if (!Entry.of(file).equals(expected.getValue())) {
        throw new IOException(file + ": its content is not what was written");
      }
    }
  }
}
