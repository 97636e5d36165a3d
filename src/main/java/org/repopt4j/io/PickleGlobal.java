package org.repopt4j.io;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The allow-list of what a pickle may name. A name here is a constant of this program with a
 * meaning of its own; no class is looked up, in Java or in Python, and nothing is called. A name
 * that is not here ends the reading.
 */
final class PickleGlobal {
  /** What the name stands for. */
  enum Kind {
    /** {@code collections.OrderedDict}. */
    ORDERED_DICT,
    /** {@code torch._utils._rebuild_tensor}: storage, offset, sizes, strides. */
    REBUILD_TENSOR,
    /** {@code torch._utils._rebuild_tensor_v2}: the same, requires_grad, hooks, metadata. */
    REBUILD_TENSOR_V2,
    /** {@code torch._utils._rebuild_tensor_v3}: the same with the type before the metadata. */
    REBUILD_TENSOR_V3,
    /** {@code torch._utils._rebuild_parameter}: tensor, requires_grad, hooks. */
    REBUILD_PARAMETER,
    /** A storage class such as {@code torch.FloatStorage}. */
    STORAGE,
    /** A type such as {@code torch.float32}. */
    DTYPE,
    /** {@code torch.Size}. */
    SIZE,
    /** {@code torch._utils._rebuild_device_tensor_from_cpu_tensor}: tensor, type, place, flag. */
    REBUILD_DEVICE_TENSOR,
    /** {@code torch._tensor._rebuild_from_type_v2}: function, class, its arguments, attributes. */
    REBUILD_FROM_TYPE,
    /** {@code torch.jit._pickle.restore_type_tag}, of C++ programs: a value, its type as text. */
    TYPE_TAG,
    /** The class of a plain tensor or parameter. */
    TENSOR_CLASS,
    /** A known harmless class whose instances are passed over as a whole. */
    INERT
  }

  /**
   * What checkpoints of training scripts hold beside the state dict. None of them is made: an
   * instance is only a note that there was one.
   */
  private static final List<String> INERT_NAMES =
      List.of(
          "yacs.config CfgNode",
          "argparse Namespace",
          "types SimpleNamespace",
          "collections defaultdict",
          "collections Counter",
          "collections deque",
          "copyreg _reconstructor",
          "copy_reg _reconstructor",
          "_codecs encode",
          "pathlib Path",
          "pathlib PurePath",
          "pathlib PosixPath",
          "pathlib PurePosixPath",
          "pathlib WindowsPath",
          "pathlib PureWindowsPath",
          "pathlib._local PosixPath",
          "pathlib._local PurePosixPath",
          "pathlib._local WindowsPath",
          "datetime datetime",
          "datetime date",
          "datetime timedelta",
          "datetime timezone",
          "numpy dtype",
          "numpy ndarray",
          "numpy.core.multiarray scalar",
          "numpy.core.multiarray _reconstruct",
          "numpy._core.multiarray scalar",
          "numpy._core.multiarray _reconstruct",
          "torch device",
          "torch.torch_version TorchVersion");

  // Protocol 2 calls some of them as Python 2 did.
  private static final List<String> INERT_BUILTINS =
      List.of(
          "object",
          "dict",
          "list",
          "set",
          "frozenset",
          "tuple",
          "int",
          "long",
          "float",
          "complex",
          "str",
          "unicode",
          "bytes",
          "bytearray",
          "bool",
          "slice",
          "range",
          "xrange");

  /**
   * What PyTorch saves and this program does not read, by how its name ends: what it is, and what
   * to do in Python.
   */
  private static final Map<Pattern, String> UNREADABLE =
      Map.of(
          Pattern.compile("torch(_utils)? (Complex\\w+Storage|complex\\d+|chalf|cfloat|cdouble)"),
          "a complex tensor; save its torch.view_as_real(tensor) instead",
          Pattern.compile("torch (float\\d_\\w+|uint(16|32|64)|u?int[1-7]|bits\\w+)"),
          "a tensor of a type that is not read here; save tensor.to(torch.float32) or .to(torch.int64) instead",
          Pattern.compile(
              "torch(\\._utils)? (Q(UI|I)nt\\w+Storage|q(ui|i)nt\\w+|_rebuild_qtensor)"),
          "a quantized tensor; save tensor.dequantize() instead",
          Pattern.compile("torch\\._utils _rebuild_sparse\\w*tensor"),
          "a sparse tensor; save tensor.to_dense() instead",
          Pattern.compile(
              "torch\\._utils _rebuild_(device_tensor_from_numpy|xla_tensor|nested_tensor|wrapper_subclass|meta_tensor_no_storage)"),
          "a tensor that is not kept as plain values; save tensor.detach().cpu().clone() instead");

  private static final Map<String, PickleGlobal> ALLOWED = allowed();

  private final String name;
  private final Kind kind;
  private final Dtype dtype;

  private PickleGlobal(String name, Kind kind, Dtype dtype) {
    this.name = name;
    this.kind = kind;
    this.dtype = dtype;
  }

  /** The entry of the allow-list. */
  static PickleGlobal of(PickleBytes in, String module, String name) throws InvalidFileException {
    PickleGlobal global = ALLOWED.get(module + " " + name);
    if (global != null) {
      return global;
    }
    String quoted = InvalidFileException.quote(module + "." + name);
    for (Map.Entry<Pattern, String> unreadable : UNREADABLE.entrySet()) {
      if (unreadable.getKey().matcher(module + " " + name).matches()) {
        throw in.refuse("it holds " + unreadable.getValue() + " (it names " + quoted + ")");
      }
    }
    throw in.refuse(
        "it names "
            + quoted
            + ", which no state dict needs; nothing was run. If you trust the file, load it in Python and save"
            + " model.state_dict() alone");
  }

  /** Module and name, with a dot between. */
  String name() {
    return name;
  }

  Kind kind() {
    return kind;
  }

  /** The type of a STORAGE or DTYPE; {@code null} for the storage of mere bytes. */
  Dtype dtype() {
    return dtype;
  }

  private static Map<String, PickleGlobal> allowed() {
    Map<String, PickleGlobal> map = new HashMap<>();
    put(map, "collections OrderedDict", Kind.ORDERED_DICT, null);
    put(map, "torch._utils _rebuild_tensor", Kind.REBUILD_TENSOR, null);
    put(map, "torch._utils _rebuild_tensor_v2", Kind.REBUILD_TENSOR_V2, null);
    put(map, "torch._utils _rebuild_tensor_v3", Kind.REBUILD_TENSOR_V3, null);
    put(map, "torch._utils _rebuild_parameter", Kind.REBUILD_PARAMETER, null);
    put(map, "torch._utils _rebuild_parameter_with_state", Kind.REBUILD_PARAMETER, null);
    put(
        map,
        "torch._utils _rebuild_device_tensor_from_cpu_tensor",
        Kind.REBUILD_DEVICE_TENSOR,
        null);
    put(map, "torch._tensor _rebuild_from_type_v2", Kind.REBUILD_FROM_TYPE, null);
    put(map, "torch.jit._pickle restore_type_tag", Kind.TYPE_TAG, null);
    put(map, "torch Tensor", Kind.TENSOR_CLASS, null);
    put(map, "torch.nn.parameter Parameter", Kind.TENSOR_CLASS, null);
    put(map, "torch.nn.parameter Buffer", Kind.TENSOR_CLASS, null);
    put(map, "torch Size", Kind.SIZE, null);
    put(map, "torch.storage UntypedStorage", Kind.STORAGE, null);
    put(map, "torch UntypedStorage", Kind.STORAGE, null);
    for (Dtype dtype : Dtype.values()) {
      put(map, "torch " + dtype.storage(), Kind.STORAGE, dtype);
      put(map, "torch " + dtype.torchName(), Kind.DTYPE, dtype);
    }
    INERT_NAMES.forEach(name -> put(map, name, Kind.INERT, null));
    for (String name : INERT_BUILTINS) {
      put(map, "builtins " + name, Kind.INERT, null);
      put(map, "__builtin__ " + name, Kind.INERT, null);
    }
    return map;
  }

  private static void put(
      Map<String, PickleGlobal> map, String moduleAndName, Kind kind, Dtype dtype) {
    map.put(moduleAndName, new PickleGlobal(moduleAndName.replace(' ', '.'), kind, dtype));
  }

  @Override
  public String toString() {
    return name + " (" + kind.name().toLowerCase(Locale.ROOT) + ")";
  }
}
