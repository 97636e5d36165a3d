package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.Arguments;
import org.repopt4j.io.HostileBytes.Pickle;
import org.repopt4j.runtime.Tensors;

class PthTensorsTest extends HostileFiles {
  private static final long[] FOUR = {4};
  private static final long[] ONE = {1};

  private static Arguments pickle(String what, String sentence, Pickle pickle) {
    return Arguments.of(what, sentence, HostileBytes.pth(pickle));
  }

  private static Pickle p() {
    return new Pickle();
  }

  private static Arguments view(
      String what, String sentence, long offset, long[] shape, long[] strides) {
    return pickle(
        what, sentence, p().op('}').text("w").tensor(offset, shape, strides).op('s', '.'));
  }

  private static Arguments storage(
      String what, String sentence, String type, String key, long count) {
    return pickle(
        what, sentence, p().op('}').text("w").tensor(type, key, count, 0, FOUR, ONE).op('s', '.'));
  }

  static Stream<Arguments> cases() {
    long huge = 1L << 62;
    return Stream.of(
        view("one value too many", "reaches beyond", 0, new long[] {5}, ONE),
        view("offset beyond", "reaches beyond", 1, FOUR, ONE),
        view("stride beyond", "reaches beyond", 0, new long[] {2, 2}, new long[] {3, 1}),
        view("negative offset", "negative offset", -1, ONE, ONE),
        view("negative stride", "negative offset or stride", 3, FOUR, new long[] {-1}),
        view("negative size", "negative size", 0, new long[] {-4}, ONE),
        view("huge size", "impossibly large", 0, new long[] {huge}, new long[] {0}),
        view("huge product", "impossibly large", 0, new long[] {huge, 4}, new long[] {0, 0}),
        view(
            "huge beside zero",
            "impossibly large",
            0,
            new long[] {huge, 0, 4},
            new long[] {1, 1, 1}),
        view("huge stride", "reaches beyond", 0, new long[] {5}, new long[] {huge}),
        view("huge offset", "reaches beyond", Long.MAX_VALUE, new long[] {2}, ONE),
        view(
            "a terabyte by stride 0",
            "many times larger",
            0,
            new long[] {1L << 38},
            new long[] {0}),
        Arguments.of("a storage of 16 MiB under 20 names", "many times larger", tied(20)),
        view("65 dimensions", "at most 64", 0, ones(65), ones(65)),
        view("sizes without strides", "2 sizes and 1 strides", 0, new long[] {2, 2}, ONE),
        storage("missing record", "which is missing", "FloatStorage", "1", 4),
        storage("path as a key", "not that of a storage", "FloatStorage", "../../0", 4),
        storage("count beyond the record", "in a record of 16 bytes", "FloatStorage", "0", 5),
        storage("count below the record", "in a record of 16 bytes", "FloatStorage", "0", 3),
        storage("huge count", "in a record of 16 bytes", "FloatStorage", "0", huge + 4),
        storage("negative count", "not that of a storage", "FloatStorage", "0", -4),
        storage("another type", "in a record of 16 bytes", "DoubleStorage", "0", 4),
        storage("complex storage", "a complex tensor; save its", "ComplexFloatStorage", "0", 2),
        pickle(
            "persistent id of a module",
            "not that of a storage",
            p().op('(').text("module").op('N', 't', 'Q', '.')),
        pickle("persistent id of text", "not that of a storage", p().text("0").op('Q', '.')),
        pickle(
            "tensor of a number",
            "does not get a storage",
            p().global("torch._utils", "_rebuild_tensor_v2")
                .op('(', 'K', 1, 'K', 0, ')', ')', 0x89, 'N', 't', 'R', '.')),
        pickle(
            "tensor of nothing",
            "does not get a storage",
            p().global("torch._utils", "_rebuild_tensor_v2").op(')', 'R', '.')),
        pickle(
            "float as a size",
            "is a float",
            p().global("torch._utils", "_rebuild_tensor_v2")
                .op('(')
                .storage("FloatStorage", "0", 4)
                .op(
                    'K', 0, 'G', 0x7f, 0xf8, 0, 0, 0, 0, 0, 0, 0x85, 'K', 1, 0x85, 0x89, 'N', 't',
                    'R', '.')),
        pickle(
            "parameter of a number",
            "not made of a tensor",
            p().global("torch._utils", "_rebuild_parameter").op('K', 1, 0x88, 'N', 0x87, 'R', '.')),
        Arguments.of(
            "bool that is neither 0 nor 1",
            "is of type bool but holds the byte 2",
            HostileBytes.zip(
                "a/data.pkl",
                p().op('}')
                    .text("w")
                    .tensor("BoolStorage", "0", 3, 0, new long[] {3}, ONE)
                    .op('s', '.')
                    .bytes(),
                "a/data/0",
                new byte[] {0, 1, 2})));
  }

  private static HostileBytes tied(int names) {
    long[] all = {4L << 20};
    Pickle pickle = p().op('}', '(').text("w").tensor("FloatStorage", "0", all[0], 0, all, ONE);
    pickle.op('q', 0);
    for (int i = 1; i < names; i++) {
      pickle.text("w" + i).op('h', 0);
    }
    return HostileBytes.zip(
        "a/data.pkl", pickle.op('u', '.').bytes(), "a/data/0", new byte[16 << 20]);
  }

  private static long[] ones(int count) {
    return IntStream.range(0, count).mapToLong(i -> 1).toArray();
  }

  @Test
  void storagesWithoutATypeAreReadWithTheTypesOfTheirTensors() throws Exception {
    byte[] data = {0, 0, (byte) 0x80, 0x3f, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40};
    Pickle pickle =
        p().op('}', '(')
            .text("float")
            .untyped("float32", 0, FOUR)
            .text("int")
            .untyped("int32", 1, new long[] {2})
            .text("double")
            .untyped("float64", 1, ONE)
            .op('u', '.');
    Path file = HostileBytes.zip("a/data.pkl", pickle.bytes(), "a/data/0", data).write(folder);
    try (TensorFile read = StateDicts.read(file)) {
      float tiny = Float.intBitsToFloat(2);
      assertArrayEquals(new float[] {1, tiny, 0, 2}, Tensors.toFloats(read.tensor("float")));
      assertArrayEquals(new long[] {2, 0}, Tensors.toLongs(read.tensor("int")));
      assertArrayEquals(new double[] {2}, Tensors.toDoubles(read.tensor("double")));
      assertEquals(Dtype.I32, Dtype.of(read.tensor("int")));
    }
  }

  @Test
  void storagesOfTensorsThatAreNotAskedForAreNotRead() throws Exception {
    Pickle pickle =
        p().op('}', '(')
            .text("model")
            .op('}')
            .text("w")
            .tensor(0, FOUR, ONE)
            .op('s')
            .text("optimizer")
            .op('}')
            .text("m")
            .tensor("FloatStorage", "missing", 4, 0, FOUR, ONE)
            .op('s', 'u', '.');
    try (TensorFile read = StateDicts.read(HostileBytes.pth(pickle).write(folder))) {
      assertEquals(List.of("w"), List.copyOf(read.tensors().keySet()));
      assertEquals(List.of("optimizer (dict)"), read.skipped());
    }
  }
}
