package org.repopt4j.io;

import static org.repopt4j.io.InvalidFileException.quote;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.google.common.io.ByteStreams;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * JSON from a stranger, read as a stream: strict UTF-8, no key twice, bounded depth and lengths,
 * nothing but one object. Every fault is an {@link InvalidFileException}.
 */
final class StrictJson implements Closeable {
  private static final JsonFactory FACTORY =
      new JsonFactoryBuilder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          // A table of names that a file fills is a table that a file can make slow.
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder().maxNestingDepth(16).maxNumberLength(40).build())
          .build();

  // A tensor takes four of them, in an index one: far more than any real network needs.
  private static final int MOST_FIELDS = 100_000;

  private final Path file;
  private final JsonParser parser;
  private int fields;

  private StrictJson(Path file, JsonParser parser) {
    this.file = file;
    this.parser = parser;
  }

  /** Takes a field of an object; the parser stands at its value. */
  @FunctionalInterface
  interface Field {
    void accept(String name, JsonToken value) throws IOException;
  }

  /** The JSON in {@code length} bytes of a file; closing it does not close the channel. */
  static StrictJson open(Path file, FileChannel channel, long position, long length)
      throws IOException {
    channel.position(position);
    InputStreamReader text =
        new InputStreamReader(
            ByteStreams.limit(Channels.newInputStream(channel), length),
            StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT));
    JsonParser parser = FACTORY.createParser(text);
    parser.disable(JsonParser.Feature.AUTO_CLOSE_SOURCE);
    return new StrictJson(file, parser);
  }

  JsonParser parser() {
    return parser;
  }

  /** Reads the one object that there is, to the end. */
  void object(Field field) throws IOException {
    try {
      nested(parser.nextToken(), field);
      if (parser.nextToken() != null) {
        throw new InvalidFileException(file, "its JSON goes on after the closing brace");
      }
    } catch (CharacterCodingException e) {
      throw new InvalidFileException(file, "its JSON is not valid UTF-8");
    } catch (JsonProcessingException e) {
      throw new InvalidFileException(
          file,
          "its JSON is broken at character "
              + (e.getLocation() == null ? 0 : e.getLocation().getCharOffset())
              + ": "
              + sentence(e));
    }
  }

  /** Jackson's words without its hints for programmers. */
  private static String sentence(JsonProcessingException error) {
    return error.getOriginalMessage().replaceFirst("( \\(start marker at |: enable `).*", "");
  }

  /** Reads the object that begins with {@code start}. */
  void nested(JsonToken start, Field field) throws IOException {
    if (start != JsonToken.START_OBJECT) {
      throw new InvalidFileException(file, "its JSON must have an object here: " + place());
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      if (++fields > MOST_FIELDS) {
        throw new InvalidFileException(file, "its JSON has more than " + MOST_FIELDS + " fields");
      }
      String name = parser.currentName();
      if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
        throw new InvalidFileException(file, "the name " + quote(name) + " is not valid Unicode");
      }
      field.accept(name, parser.nextToken());
    }
  }

  /** The text of a value. */
  String text(String key, JsonToken value) throws IOException {
    if (value != JsonToken.VALUE_STRING) {
      throw new InvalidFileException(file, "the value of " + quote(key) + " must be text");
    }
    return parser.getText();
  }

  private String place() {
    return quote(parser.getParsingContext().pathAsPointer().toString());
  }

  @Override
  public void close() throws IOException {
    parser.close();
  }
}
