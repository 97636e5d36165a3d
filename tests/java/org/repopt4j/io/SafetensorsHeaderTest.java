package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.Arguments;

class SafetensorsHeaderTest extends HostileFiles {
  private static Arguments header(String what, String sentence, String json) {
    return Arguments.of(what, sentence, HostileBytes.safetensors(json, new byte[8]));
  }

  private static String tensor(String dtype, String shape, String offsets) {
    return "{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
  }

  private static String numbered(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "\"" + i + "\":\"\"")
        .collect(Collectors.joining(","));
  }

  static Stream<Arguments> cases() {
    String f64 = tensor("\"F64\"", "[1]", "[0,8]");
    return Stream.of(
        Arguments.of(
            "header of 2^60 bytes",
            "claims 1152921504606846976 bytes",
            HostileBytes.safetensors(1L << 60, "{}".getBytes(StandardCharsets.UTF_8))),
        Arguments.of(
            "header of 2^64 - 1 bytes",
            "claims 18446744073709551615 bytes",
            HostileBytes.safetensors(-1, "{}".getBytes(StandardCharsets.UTF_8))),
        Arguments.of(
            "header of no bytes",
            "claims 0 bytes",
            HostileBytes.safetensors(0, "{}".getBytes(StandardCharsets.UTF_8))),
        Arguments.of(
            "header beyond the file",
            "claims 11 bytes",
            HostileBytes.safetensors(11, "{}        ".getBytes(StandardCharsets.UTF_8))),
        Arguments.of(
            "invalid UTF-8",
            "not valid UTF-8",
            HostileBytes.safetensors(
                8, new byte[] {'{', '"', (byte) 0xC0, (byte) 0x80, '"', ':', '1', '}'})),
        header("name twice", "Duplicate", "{\"a\":" + f64 + ",\"a\":" + f64 + "}"),
        header(
            "metadata twice",
            "Duplicate",
            "{\"__metadata__\":{},\"__metadata__\":{},\"a\":" + f64 + "}"),
        header("field twice", "Duplicate", "{\"a\":{\"dtype\":\"F64\",\"dtype\":\"F64\"}}"),
        header(
            "metadata of a number",
            "must be text",
            "{\"__metadata__\":{\"a\":1},\"a\":" + f64 + "}"),
        header(
            "metadata of text",
            "must have an object",
            "{\"__metadata__\":\"a\",\"a\":" + f64 + "}"),
        header("tensor that is a list", "must have an object", "{\"a\":[]}"),
        header("unclosed", "broken", "{\"a\":" + f64),
        header("something after it", "goes on", "{\"a\":" + f64 + "}{}"),
        header("NaN as a size", "broken", "{\"a\":" + tensor("\"F64\"", "[NaN]", "[0,8]") + "}"),
        header(
            "float as a size",
            "'1.0' in shape",
            "{\"a\":" + tensor("\"F64\"", "[1.0]", "[0,8]") + "}"),
        header(
            "text as a size", "in shape", "{\"a\":" + tensor("\"F64\"", "[\"1\"]", "[0,8]") + "}"),
        header("nested size", "in shape", "{\"a\":" + tensor("\"F64\"", "[[1]]", "[0,8]") + "}"),
        header(
            "negative size",
            "'-1' in shape",
            "{\"a\":" + tensor("\"F64\"", "[-1,-1]", "[0,8]") + "}"),
        header("minus zero", "'-0' in shape", "{\"a\":" + tensor("\"F64\"", "[-0]", "[0,0]") + "}"),
        header(
            "size of 2^64",
            "broken",
            "{\"a\":" + tensor("\"F64\"", "[18446744073709551616]", "[0,8]") + "}"),
        header(
            "product that overflows",
            "impossibly large",
            "{\"a\":" + tensor("\"F64\"", "[4294967296,4294967296]", "[0,0]") + "}"),
        header(
            "product that overflows to 8 bytes",
            "impossibly large",
            "{\"a\":" + tensor("\"F64\"", "[2305843009213693953]", "[0,8]") + "}"),
        header(
            "a hundred dimensions",
            "more than 64 numbers in shape",
            "{\"a\":" + tensor("\"F64\"", "[" + "1,".repeat(99) + "1]", "[0,8]") + "}"),
        header(
            "more fields than any state dict has",
            "more than 100000 fields",
            "{\"__metadata__\":{" + numbered(100_000) + "}}"),
        header(
            "shape that is no list",
            "an array as shape",
            "{\"a\":" + tensor("\"F64\"", "8", "[0,8]") + "}"),
        header(
            "unknown type",
            "is of type 'F8_E4M3'",
            "{\"a\":" + tensor("\"F8_E4M3\"", "[8]", "[0,8]") + "}"),
        header(
            "type in small letters",
            "is of type 'f64'",
            "{\"a\":" + tensor("\"f64\"", "[1]", "[0,8]") + "}"),
        header(
            "type that is a number", "must be text", "{\"a\":" + tensor("8", "[1]", "[0,8]") + "}"),
        header("unknown field", "unknown field 'x'", "{\"a\":{\"x\":1}}"),
        header("missing field", "lacks one of", "{\"a\":{\"dtype\":\"F64\",\"shape\":[1]}}"),
        header(
            "null field", "must have an array", "{\"a\":" + tensor("\"F64\"", "[1]", "null") + "}"),
        header("one offset", "two data_offsets", "{\"a\":" + tensor("\"F64\"", "[1]", "[8]") + "}"),
        header(
            "offsets the wrong way round",
            "needs 8 bytes",
            "{\"a\":" + tensor("\"F64\"", "[1]", "[8,0]") + "}"),
        header(
            "negative offset",
            "'-8' in data_offsets",
            "{\"a\":" + tensor("\"F64\"", "[1]", "[-8,0]") + "}"),
        header(
            "offset in floating point",
            "in data_offsets",
            "{\"a\":" + tensor("\"F64\"", "[1]", "[0,8e0]") + "}"),
        header(
            "bytes that do not fit the shape",
            "needs 16 bytes",
            "{\"a\":" + tensor("\"F64\"", "[2]", "[0,8]") + "}"),
        header(
            "offsets beyond the file",
            "end at byte 16",
            "{\"a\":" + tensor("\"F64\"", "[2]", "[0,16]") + "}"),
        header(
            "data left over", "end at byte 4", "{\"a\":" + tensor("\"F32\"", "[1]", "[0,4]") + "}"),
        header("no tensors but data", "end at byte 0", "{}"),
        header(
            "hole at the start",
            "comes after a hole",
            "{\"a\":" + tensor("\"F32\"", "[1]", "[4,8]") + "}"),
        header(
            "hole in between",
            "comes after a hole",
            "{\"a\":"
                + tensor("\"U8\"", "[3]", "[0,3]")
                + ",\"b\":"
                + tensor("\"U8\"", "[4]", "[4,8]")
                + "}"),
        header(
            "overlap",
            "overlaps another one",
            "{\"a\":"
                + tensor("\"U8\"", "[5]", "[0,5]")
                + ",\"b\":"
                + tensor("\"U8\"", "[4]", "[4,8]")
                + "}"),
        header("same place twice", "overlaps another one", "{\"a\":" + f64 + ",\"b\":" + f64 + "}"),
        header("half a surrogate pair", "not valid Unicode", "{\"\\ud800\":" + f64 + "}"),
        header(
            "nested a thousand deep",
            "must be text",
            "{\"__metadata__\":" + "{\"a\":".repeat(1000) + "1" + "}".repeat(1000) + "}"),
        header("comments", "broken", "{/**/\"a\":" + f64 + "}"),
        Arguments.of(
            "bool that is neither 0 nor 1",
            "holds the byte 255",
            HostileBytes.safetensors(
                "{\"a\":" + tensor("\"BOOL\"", "[1]", "[0,1]") + "}", (byte) 255)));
  }

  @Test
  void anErrorHasNoHintsForProgrammers() throws Exception {
    Path file = HostileBytes.safetensors("{\"a\":" + "{", new byte[8]).write(folder);
    InvalidFileException e = assertThrows(InvalidFileException.class, () -> StateDicts.read(file));
    assertTrue(e.getMessage().endsWith("expected close marker for Object"), e.getMessage());
  }

  @Test
  void aHeaderOfMoreThanAHundredMegabytesIsRefused() throws Exception {
    Path file = HostileBytes.safetensors(100_000_001, new byte[] {'{', '}'}).write(folder);
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(200_000_000);
    }
    InvalidFileException e = assertThrows(InvalidFileException.class, () -> StateDicts.read(file));
    assertTrue(
        e.getMessage().endsWith("claims 100000001 bytes, must be between 2 and 100000000"),
        e.getMessage());
  }
}
