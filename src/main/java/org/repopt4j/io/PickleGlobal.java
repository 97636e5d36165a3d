package org.repopt4j.io;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

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
          "numpy dtype",
          "numpy ndarray",
          "numpy.core.multiarray scalar",
          "numpy.core.multiarray _reconstruct",
          "numpy._core.multiarray scalar",
          "numpy._core.multiarray _reconstruct",
          "torch device",
          "torch.torch_version TorchVersion");

  private static final List<String> INERT_BUILTINS =
      List.of(
          "object",
          "dict",
          "list",
          "set",
          "frozenset",
          "tuple",
          "int",
          "float",
          "complex",
          "str",
          "unicode",
          "bytes",
          "bytearray",
          "bool",
          "slice",
          "range");

  private static final Map<String, PickleGlobal> ALLOWED = allowed();

  private final String name;
  private final Kind kind;
  private final Dtype dtype;

  private PickleGlobal(String name, Kind kind, Dtype dtype) {
    this.name = name;
    this.kind = kind;
    this.dtype = dtype;
  }

  /** The entry of the allow-list, or {@code null} if the name is not on it. */
  static PickleGlobal find(String module, String name) {
    return ALLOWED.get(module + " " + name);
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
