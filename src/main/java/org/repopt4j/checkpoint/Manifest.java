package org.repopt4j.checkpoint;

import static com.google.common.base.Preconditions.checkArgument;

import com.fasterxml.jackson.core.JsonProcessingException;
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
import java.util.regex.Pattern;
import org.repopt4j.io.InvalidFileException;

/** The texts of a checkpoint, and what its files must be; see {@link Checkpoint} for the format. */
record Manifest(
    long step,
    Map<String, String> values,
    Map<String, String> configuration,
    Map<String, String> versions,
    Map<String, Entry> files) {
  static final String FILE = "manifest.json";
  static final String HASH = "manifest.sha256";

  private static final String TENSORS = ".safetensors";
  private static final Pattern NAME = Pattern.compile("[a-z]+" + Pattern.quote(TENSORS));

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

  /** The file of a group of tensors. */
  static String fileOf(String group) {
    String file = group + TENSORS;
    checkArgument(
        NAME.matcher(file).matches(), "a group has lower-case letters only, got: '%s'", group);
    return file;
  }

  /** The group of tensors in a file. */
  static String groupOf(String file) {
    return file.substring(0, file.length() - TENSORS.length());
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
    JsonNode all = parse(folder, json);
    JsonNode version = all.path("version");
    check(folder, all.path("format").asText().equals(FORMAT), "format", all.path("format"));
    if (!version.isInt() || version.intValue() != VERSION) {
      throw new IOException(
          folder
              + ": is a checkpoint of format version "
              + shown(version)
              + "; this release reads 1");
    }
    JsonNode step = all.path("step");
    check(folder, isCount(step), "step", step);
    return new Manifest(
        step.longValue(),
        texts(folder, all, "values"),
        texts(folder, all, "configuration"),
        texts(folder, all, "versions"),
        files(folder, all.path("files")));
  }

  private static JsonNode parse(Path folder, byte[] json) throws IOException {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IOException(folder + ": " + FILE + " is no JSON", e);
    }
  }

  private static void check(Path folder, boolean right, String what, JsonNode got)
      throws IOException {
    if (!right) {
      throw new IOException(
          folder + ": " + FILE + " is not of the format: " + what + " is " + shown(got));
    }
  }

  private static String shown(JsonNode node) {
    return node.isMissingNode() ? "missing" : InvalidFileException.printable(node.toString());
  }

  private static boolean isCount(JsonNode node) {
    return node.isIntegralNumber() && node.canConvertToLong() && node.longValue() >= 0;
  }

  private static Map<String, String> texts(Path folder, JsonNode all, String what)
      throws IOException {
    JsonNode node = all.path(what);
    check(folder, node.isObject(), what, node);
    Map<String, String> texts = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      String name = what + "/" + InvalidFileException.printable(entry.getKey());
      check(folder, entry.getValue().isTextual(), name, entry.getValue());
      texts.put(entry.getKey(), entry.getValue().textValue());
    }
    return texts;
  }

  /** A name that leads out of the folder is none of the format's. */
  private static Map<String, Entry> files(Path folder, JsonNode node) throws IOException {
    check(folder, node.isObject() && !node.isEmpty(), "files", node);
    Map<String, Entry> files = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> file : node.properties()) {
      JsonNode bytes = file.getValue().path("bytes");
      JsonNode sha256 = file.getValue().path("sha256");
      String name = "files/" + InvalidFileException.printable(file.getKey());
      check(
          folder,
          NAME.matcher(file.getKey()).matches() && isCount(bytes) && sha256.isTextual(),
          name,
          file.getValue());
      files.put(file.getKey(), new Entry(bytes.longValue(), sha256.textValue()));
    }
    return files;
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
