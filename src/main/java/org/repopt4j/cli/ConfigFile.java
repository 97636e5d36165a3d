package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.google.common.base.Joiner;
import com.google.common.base.Splitter;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.repopt4j.io.FileErrors;
import org.repopt4j.io.InvalidFileException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Options of a command in a YAML file: one mapping from names of options, without their dashes and
 * with {@code _} or {@code -} between words, to a number, a text, {@code true} or {@code false} for
 * an option without a value, or a list for one that takes numbers with commas. {@code null} is as
 * if it were not there. A run's {@code args.yaml} is such a file.
 */
final class ConfigFile {
  static final String OPTION = "--config";

  private static final long LARGEST = 1 << 20;
  private static final Set<String> ELSEWHERE = Set.of(OPTION, "--help", "--version", "--verbose");
  private static final ObjectMapper YAML =
      new ObjectMapper(new YAMLFactory()).enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

  private final Path file;
  private final CommandSpec command;

  private ConfigFile(Path file, CommandSpec command) {
    this.file = file;
    this.command = command;
  }

  /**
   * The file's options as a command line has them.
   *
   * @param given those that the command line has itself: they win
   * @throws IllegalArgumentException if the file cannot be read or has what the command has not
   */
  static List<String> options(Path file, CommandSpec command, List<OptionSpec> given) {
    return new ConfigFile(file, command).read(given);
  }

  private List<String> read(List<OptionSpec> given) {
    List<String> options = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : parse().properties()) {
      String name = "--" + entry.getKey().replace('_', '-');
      JsonNode value = entry.getValue();
      if (value.isNull() || follows(name, value)) {
        continue;
      }
      OptionSpec option = command.findOption(name);
      checkArgument(
          option != null && !ELSEWHERE.contains(name),
          "%s %s sets '%s', but 'repopt %s' has no option '%s' that a file can set",
          OPTION,
          file,
          entry.getKey(),
          command.name(),
          name);
      if (!given.contains(option)) {
        add(option, name, value, options);
      }
    }
    return options;
  }

  /** What a run's {@code args.yaml} has beside its options. */
  private boolean follows(String name, JsonNode value) {
    return name.equals("--real-lr")
        || (name.equals("--mode")
            && command.findOption("--mode") == null
            && value.asText().equals("hs"));
  }

  private void add(OptionSpec option, String name, JsonNode value, List<String> options) {
    if (option.arity().max() == 0) {
      checkArgument(
          value.isBoolean(), "%s %s: %s must be true or false, got: %s", OPTION, file, name, value);
      if (value.asBoolean()) {
        options.add(name);
      }
      return;
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode part : value.isArray() ? value : List.of(value)) {
      checkArgument(
          part.isNumber() || part.isTextual(),
          "%s %s: %s must be a number, a text or a list of them, got: %s",
          OPTION,
          file,
          name,
          value);
      texts.add(part.asText());
    }
    options.add(name + "=" + Joiner.on(',').join(texts));
  }

  private JsonNode parse() {
    try {
      checkArgument(Files.exists(file), "%s %s: there is no such file", OPTION, file);
      checkArgument(
          Files.isRegularFile(file) && Files.size(file) <= LARGEST,
          "%s %s is not a file of at most %s bytes",
          OPTION,
          file,
          LARGEST);
      JsonNode root;
      try (JsonParser parser = YAML.createParser(Files.readString(file))) {
        root = YAML.readTree(parser);
        checkArgument(
            root != null && root.isObject() && parser.nextToken() == null,
            "%s %s must be one mapping, of lines such as 'batch_size: 64'",
            OPTION,
            file);
      }
      return root;
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(OPTION + " " + file + " is not in UTF-8", e);
    } catch (JsonProcessingException e) {
      String line = e.getLocation() == null ? "" : "line " + e.getLocation().getLineNr() + ": ";
      // Behind the first lines the place is drawn.
      String what = Splitter.on("\n in ").split(e.getOriginalMessage()).iterator().next();
      throw new IllegalArgumentException(
          OPTION + " " + file + " is no YAML: " + line + InvalidFileException.oneLine(what), e);
    } catch (IOException e) {
      throw new IllegalArgumentException(OPTION + " " + FileErrors.sentence(e), e);
    }
  }
}
