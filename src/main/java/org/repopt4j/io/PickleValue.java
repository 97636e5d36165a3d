package org.repopt4j.io;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a pickle's machine makes, besides {@link String}, {@link Long}, {@link Double} and {@link
 * Boolean}. Equality is identity, so that no structure, however deep or cyclic, is walked by
 * accident.
 */
abstract class PickleValue {
  private PickleValue() {}

  /** How people would call it. */
  abstract String kind();

  /** The values inside. */
  List<Object> children() {
    return List.of();
  }

  /** How Python calls any value of the machine. */
  static String kindOf(Object value) {
    if (value instanceof PickleValue inner) {
      return inner.kind();
    }
    if (value instanceof PickleGlobal global) {
      return global.name();
    }
    if (value instanceof Number) {
      return value instanceof Double ? "float" : "int";
    }
    return value instanceof Boolean ? "bool" : "str";
  }

  /** A dict or OrderedDict. */
  static final class Dict extends PickleValue {
    final Map<Object, Object> map = new LinkedHashMap<>();

    @Override
    String kind() {
      return "dict";
    }

    @Override
    List<Object> children() {
      List<Object> children = new ArrayList<>(map.keySet());
      children.addAll(map.values());
      return children;
    }
  }

  /** A list or a set. */
  static final class Items extends PickleValue {
    final List<Object> items = new ArrayList<>(0);

    @Override
    String kind() {
      return "list";
    }

    @Override
    List<Object> children() {
      return items;
    }
  }

  /** A tuple. */
  static final class Tuple extends PickleValue {
    final List<Object> items;

    Tuple(List<Object> items) {
      this.items = items;
    }

    @Override
    String kind() {
      return "tuple";
    }

    @Override
    List<Object> children() {
      return items;
    }
  }

  /** Something that was there and is passed over: None, bytes, an instance of a harmless class. */
  static final class Opaque extends PickleValue {
    private final String kind;

    Opaque(String kind) {
      this.kind = kind;
    }

    @Override
    String kind() {
      return kind;
    }
  }

  /** A storage in the archive, not read yet. */
  static final class Storage extends PickleValue {
    /** The type of its values; {@code null} for mere bytes. */
    final Dtype dtype;

    final String key;
    final long count;

    Storage(Dtype dtype, String key, long count) {
      this.dtype = dtype;
      this.key = key;
      this.count = count;
    }

    @Override
    String kind() {
      return "storage";
    }
  }

  /** A tensor: a view of a storage. */
  static final class View extends PickleValue {
    final Storage storage;
    final Dtype dtype;
    final long offset;
    final long[] shape;
    final long[] strides;

    View(Storage storage, Dtype dtype, long offset, long[] shape, long[] strides) {
      this.storage = storage;
      this.dtype = dtype;
      this.offset = offset;
      this.shape = shape;
      this.strides = strides;
    }

    @Override
    String kind() {
      return "tensor";
    }
  }
}
