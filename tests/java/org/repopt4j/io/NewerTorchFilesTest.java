package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.bytedeco.pytorch.CompilationUnit;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.Arguments;
import org.repopt4j.io.HostileBytes.Pickle;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * What PyTorch 2 puts into a file: written by the libtorch that this library runs on, or put
 * together by hand after {@code torch/serialization.py} and {@code torch/_utils.py}.
 */
class NewerTorchFilesTest extends HostileFiles {
  private static final long[] FOUR = {4};
  private static final long[] ONE = {1};

  private static Map<String, Tensor> samples() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Random random = new Random(3);
    for (Dtype dtype : Dtype.values()) {
      tensors.put("b" + tensors.size(), SampleTensors.bits(random, dtype, 5, 7));
      tensors.put("a" + tensors.size(), SampleTensors.bits(random, dtype));
      tensors.put("c" + tensors.size(), SampleTensors.bits(random, dtype, 0, 3));
    }
    tensors.put("view", Tensors.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3).t());
    return tensors;
  }

  @Test
  void aDictThatLibtorchSavedIsReadBitForBit() throws Exception {
    Map<String, Tensor> tensors = samples();
    Path file = folder.resolve("libtorch.pth");
    try (StepScope scope = StepScope.open()) {
      List<String> names = new ArrayList<>(tensors.keySet());
      StringBuilder script = new StringBuilder("def collect(");
      names.forEach(name -> script.append(name).append(": Tensor, "));
      script.setLength(script.length() - 2);
      script.append(") -> Dict[str, Tensor]:\n  return {");
      names.forEach(
          name -> script.append("'").append(name).append("': ").append(name).append(", "));
      script.setLength(script.length() - 2);
      CompilationUnit unit = torch.compile(script.append("}\n").toString());
      IValueVector arguments =
          new IValueVector(tensors.values().stream().map(IValue::new).toArray(IValue[]::new));
      IValue dict = unit.find_function(new QualifiedName("collect")).apply(arguments);
      Files.write(file, torch.pickle_save(dict).get());
    }
    try (TensorFile read = StateDicts.read(file)) {
      assertEquals(SampleTensors.describe(tensors), SampleTensors.describe(read.tensors()));
    }
  }

  @Test
  void pythonsUnpicklerOfWeightsOnlyAllowsEveryWordOfIt() throws Exception {
    Path file = folder.resolve("ours.pth");
    StateDicts.write(file, samples());
    assertEquals(List.of("allowed"), PythonTorch.tensorFiles("words", file));
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static HostileBytes withRecords(String byteOrder, Pickle pickle) {
    byte[] data = {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, (byte) 0x80};
    return HostileBytes.zip(
        "net/data.pkl",
        pickle.bytes(),
        "net/.format_version",
        ascii("1"),
        "net/.storage_alignment",
        ascii("64"),
        "net/byteorder",
        ascii(byteOrder),
        "net/data/0",
        data,
        "net/version",
        ascii("3\n"),
        "net/.data/serialization_id",
        ascii("0636457737946401051300000027264370494161"));
  }

  private static Pickle dict(Pickle value) {
    byte[] bytes = value.bytes();
    return new Pickle().op('}').text("w").raw(bytes).op('s', '.');
  }

  /** Opcodes without the head of a pickle. */
  private static Pickle part() {
    return new Pickle("");
  }

  private void assertFourFloats(Pickle value) throws Exception {
    Path file = withRecords("little", dict(value)).write(folder);
    try (TensorFile read = StateDicts.read(file)) {
      assertArrayEquals(new float[] {1, 2, 0, -0f}, Tensors.toFloats(read.tensor("w")));
    }
  }

  @Test
  void theRecordsOfNewerVersionsArePassedOver() throws Exception {
    assertFourFloats(part().tensor(0, FOUR, ONE));
    assertFourFloats(part().untyped("float32", 0, FOUR));
  }

  @Test
  void parametersAndTensorsWithAttributesAreReadWithoutThem() throws Exception {
    Pickle state = part().op('}').text("note").op('K', 7, 's');
    assertFourFloats(
        part()
            .global("torch._utils", "_rebuild_parameter")
            .tensor(0, FOUR, ONE)
            .op(0x88, 'N', 0x87, 'R'));
    assertFourFloats(
        part()
            .global("torch._utils", "_rebuild_parameter_with_state")
            .op('(')
            .tensor(0, FOUR, ONE)
            .op(0x88, 'N')
            .raw(state.bytes())
            .op('t', 'R'));
    assertFourFloats(
        part()
            .global("torch._tensor", "_rebuild_from_type_v2")
            .op('(')
            .global("torch._utils", "_rebuild_tensor_v2")
            .global("torch", "Tensor")
            .raw(arguments())
            .raw(state.bytes())
            .op('t', 'R'));
    assertFourFloats(
        part()
            .global("torch._utils", "_rebuild_device_tensor_from_cpu_tensor")
            .op('(')
            .tensor(0, FOUR, ONE)
            .global("torch", "float32")
            .text("privateuseone:0")
            .op(0x89, 't', 'R'));
  }

  /** The arguments of _rebuild_tensor_v2 for the four floats. */
  private static byte[] arguments() {
    return part()
        .op('(')
        .storage("FloatStorage", "0", 4)
        .op('K', 0, 'K', 4, 0x85, 'K', 1, 0x85, 0x89, 'N', 't')
        .bytes();
  }

  @Test
  void mereBytesAreUint8AsInPython() throws Exception {
    Pickle value = part().tensor("UntypedStorage", "0", 16, 2, new long[] {2}, ONE);
    Path file = withRecords("little", dict(value)).write(folder);
    try (TensorFile read = StateDicts.read(file)) {
      assertEquals(Dtype.U8, Dtype.of(read.tensor("w")));
      assertArrayEquals(new long[] {0x80, 0x3f}, Tensors.toLongs(read.tensor("w")));
    }
  }

  private static Arguments refused(String what, String sentence, Pickle value) {
    return Arguments.of(what, sentence, withRecords("little", dict(value)));
  }

  private static Pickle withMetadata(String key) {
    return part()
        .global("torch._utils", "_rebuild_tensor_v2")
        .op('(')
        .storage("FloatStorage", "0", 4)
        .op('K', 0, 'K', 4, 0x85, 'K', 1, 0x85, 0x89, 'N', '}')
        .text(key)
        .op(0x88, 's', 't', 'R');
  }

  private static Pickle called(String module, String name) {
    return part().global(module, name).op(')', 'R');
  }

  static Stream<Arguments> cases() {
    Pickle plain = part().tensor(0, FOUR, ONE);
    return Stream.of(
        Arguments.of("big endian", "byte order is 'big', must be", withRecords("big", dict(plain))),
        Arguments.of("no endian", "byte order is 'middle'", withRecords("middle", dict(plain))),
        refused("negated", "stored negated or conjugated", withMetadata("neg")),
        refused("conjugated", "resolve_conj()", withMetadata("conj")),
        refused("float8", ".to(torch.float32)", part().untyped("float8_e4m3fn", 0, FOUR)),
        refused("uint16", "names 'torch.uint16'", part().untyped("uint16", 0, FOUR)),
        refused("complex", "view_as_real", part().untyped("complex64", 0, ONE)),
        refused("quantized storage", "dequantize()", called("torch", "QInt8Storage")),
        refused("quantized", "dequantize()", called("torch._utils", "_rebuild_qtensor")),
        refused("sparse", "to_dense()", called("torch._utils", "_rebuild_sparse_tensor")),
        refused("sparse rows", "to_dense()", called("torch._utils", "_rebuild_sparse_csr_tensor")),
        refused(
            "made by numpy",
            "not kept as plain values",
            called("torch._utils", "_rebuild_device_tensor_from_numpy")),
        refused(
            "meta", "not kept as plain", called("torch._utils", "_rebuild_meta_tensor_no_storage")),
        refused(
            "wrapper", "not kept as plain", called("torch._utils", "_rebuild_wrapper_subclass")),
        refused("type tag of nothing", "tag", called("torch.jit._pickle", "restore_type_tag")),
        refused("class of a tensor, called", "is not a function", called("torch", "Tensor")),
        refused(
            "tensor of a type of its own",
            "not made of a plain tensor",
            part()
                .global("torch._tensor", "_rebuild_from_type_v2")
                .op('(')
                .global("collections", "OrderedDict")
                .global("torch", "Tensor")
                .raw(arguments())
                .op('}', 't', 'R')),
        refused(
            "device tensor of another type",
            "of a CPU tensor of its type",
            part()
                .global("torch._utils", "_rebuild_device_tensor_from_cpu_tensor")
                .op('(')
                .tensor(0, FOUR, ONE)
                .global("torch", "float16")
                .text("xla")
                .op(0x89, 't', 'R')));
  }

  @Test
  void attributesThatPythonGaveATensorAreDropped() throws Exception {
    PythonTorch.tensorFiles("attributes", folder.resolve("a.pth"));
    try (TensorFile read = StateDicts.read(folder.resolve("a.pth"))) {
      assertEquals(List.of("plain", "tensor", "parameter"), List.copyOf(read.tensors().keySet()));
      assertTrue(
          read.tensors().values().stream()
              .allMatch(t -> Tensors.toFloats(t)[1] == 2.5f && t.numel() == 3));
    }
  }
}
