package org.repopt4j.io;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.repopt4j.io.PickleValue.Dict;
import org.repopt4j.io.PickleValue.Items;
import org.repopt4j.io.PickleValue.Opaque;
import org.repopt4j.io.PickleValue.Storage;
import org.repopt4j.io.PickleValue.Tuple;
import org.repopt4j.io.PickleValue.View;

/**
 * All that a pickle can bring about: what REDUCE, NEWOBJ, BUILD and the persistent ids of {@code
 * torch.save} mean for each name of the allow-list.
 */
final class PickleCalls {
  private static final Pattern STORAGE_KEY = Pattern.compile("[A-Za-z0-9_]{1,64}");

  private static final Set<PickleGlobal.Kind> REBUILDS =
      EnumSet.of(
          PickleGlobal.Kind.REBUILD_TENSOR,
          PickleGlobal.Kind.REBUILD_TENSOR_V2,
          PickleGlobal.Kind.REBUILD_TENSOR_V3,
          PickleGlobal.Kind.REBUILD_PARAMETER);

  private PickleCalls() {}

  /** The value of {@code callee(*arguments)}. */
  static Object call(PickleBytes in, Object callee, Object arguments, boolean asClass)
      throws InvalidFileException {
    if (!(callee instanceof PickleGlobal global) || !(arguments instanceof Tuple tuple)) {
      throw in.refuse("it calls a " + PickleValue.kindOf(callee) + ", which cannot be called");
    }
    List<Object> given = tuple.items;
    if (asClass
        && global.kind() != PickleGlobal.Kind.INERT
        && global.kind() != PickleGlobal.Kind.ORDERED_DICT) {
      throw in.refuse("it makes an instance of " + global.name() + ", which is not a class");
    }
    return switch (global.kind()) {
      case INERT -> new Opaque(inertName(global, given));
      case ORDERED_DICT -> orderedDict(in, given);
      case SIZE -> size(in, given);
      case REBUILD_TENSOR -> tensor(in, global, given, 4, 4);
      case REBUILD_TENSOR_V2 -> tensor(in, global, given, 6, 7);
      case REBUILD_TENSOR_V3 -> tensor(in, global, given, 7, 8);
      case REBUILD_PARAMETER -> parameter(in, given);
      case REBUILD_DEVICE_TENSOR -> deviceTensor(in, given);
      case REBUILD_FROM_TYPE -> fromType(in, given);
      case TYPE_TAG -> tagged(in, given);
      case STORAGE, DTYPE, TENSOR_CLASS ->
          throw in.refuse("it calls " + global.name() + ", which is not a function");
    };
  }

  // copyreg._reconstructor(class, base, state): people know the class, not the function.
  private static String inertName(PickleGlobal global, List<Object> given) {
    return global.name().endsWith("_reconstructor")
            && !given.isEmpty()
            && given.get(0) instanceof PickleGlobal of
        ? of.name()
        : global.name();
  }

  private static Dict orderedDict(PickleBytes in, List<Object> given) throws InvalidFileException {
    Dict dict = new Dict();
    if (given.isEmpty()) {
      return dict;
    }
    if (given.size() != 1 || !(given.get(0) instanceof Items pairs)) {
      throw in.refuse("an OrderedDict is made of something that is not a list of pairs");
    }
    for (Object pair : pairs.items) {
      List<Object> two = pair instanceof PickleValue value ? value.children() : List.of();
      if (pair instanceof Dict || two.size() != 2) {
        throw in.refuse("an OrderedDict is made of something that is not a list of pairs");
      }
      put(in, dict, two.get(0), two.get(1));
    }
    return dict;
  }

  /**
   * Puts an entry into a dict; no text may be a key twice. Nobody asks for the key of a number: it
   * is kept as a note, because numbers of two types can be chosen to make a hash table slow.
   */
  static void put(PickleBytes in, Dict dict, Object key, Object value) throws InvalidFileException {
    Object kept = key instanceof Number ? new Opaque(PickleValue.kindOf(key)) : key;
    if (dict.map.put(kept, value) != null && key instanceof String text) {
      throw in.refuse("a dict has the key " + InvalidFileException.quote(text) + " twice");
    }
  }

  private static Tuple size(PickleBytes in, List<Object> given) throws InvalidFileException {
    if (given.size() == 1 && given.get(0) instanceof Tuple sizes) {
      return sizes;
    }
    throw in.refuse("a torch.Size is not made of a tuple");
  }

  private static View parameter(PickleBytes in, List<Object> given) throws InvalidFileException {
    if (given.size() >= 3 && given.size() <= 4 && given.get(0) instanceof View view) {
      return view;
    }
    throw in.refuse("a parameter is not made of a tensor");
  }

  private static View deviceTensor(PickleBytes in, List<Object> given) throws InvalidFileException {
    if (given.size() == 4
        && given.get(0) instanceof View view
        && given.get(1) instanceof PickleGlobal type
        && type.kind() == PickleGlobal.Kind.DTYPE
        && type.dtype() == view.dtype) {
      return view;
    }
    throw in.refuse("a device's tensor is not made of a CPU tensor of its type");
  }

  private static Object tagged(PickleBytes in, List<Object> given) throws InvalidFileException {
    if (given.size() == 2 && given.get(0) instanceof PickleValue value) {
      return value;
    }
    throw in.refuse("a type tag is not given to a value");
  }

  // A tensor with attributes of Python's: they are no part of a state dict and are dropped.
  private static Object fromType(PickleBytes in, List<Object> given) throws InvalidFileException {
    if (given.size() == 4
        && given.get(0) instanceof PickleGlobal function
        && REBUILDS.contains(function.kind())
        && given.get(1) instanceof PickleGlobal type
        && type.kind() == PickleGlobal.Kind.TENSOR_CLASS) {
      return call(in, function, given.get(2), false);
    }
    throw in.refuse("a tensor with attributes is not made of a plain tensor");
  }

  private static View tensor(
      PickleBytes in, PickleGlobal global, List<Object> given, int fewest, int most)
      throws InvalidFileException {
    if (given.size() < fewest
        || given.size() > most
        || !(given.get(0) instanceof Storage storage)
        || !(given.get(1) instanceof Long offset)) {
      throw in.refuse(global.name() + " does not get a storage and an offset");
    }
    checkPlain(in, given, global.kind() == PickleGlobal.Kind.REBUILD_TENSOR_V3 ? 7 : 6);
    // Without a type of its own, a tensor has that of its storage, and mere bytes are uint8.
    Dtype dtype = storage.dtype == null ? Dtype.U8 : storage.dtype;
    if (global.kind() == PickleGlobal.Kind.REBUILD_TENSOR_V3) {
      if (!(given.get(6) instanceof PickleGlobal type) || type.kind() != PickleGlobal.Kind.DTYPE) {
        throw in.refuse(global.name() + " does not get a type");
      }
      dtype = type.dtype();
    }
    long[] shape = numbers(in, given.get(2));
    long[] strides = numbers(in, given.get(3));
    if (shape.length != strides.length) {
      throw in.refuse("a tensor has " + shape.length + " sizes and " + strides.length + " strides");
    }
    return new View(storage, dtype, offset, shape, strides);
  }

  // The metadata say whether the values are to be negated or conjugated when they are read.
  private static void checkPlain(PickleBytes in, List<Object> given, int metadata)
      throws InvalidFileException {
    if (given.size() > metadata
        && !(given.get(metadata) instanceof Dict dict && dict.map.isEmpty())
        && !PickleValue.kindOf(given.get(metadata)).equals("None")) {
      throw in.refuse(
          "a tensor's values are stored negated or conjugated; save tensor.resolve_neg().resolve_conj() instead");
    }
  }

  private static long[] numbers(PickleBytes in, Object tuple) throws InvalidFileException {
    if (!(tuple instanceof Tuple numbers)) {
      throw in.refuse("the sizes or strides of a tensor are a " + PickleValue.kindOf(tuple));
    }
    // Checked here because a tuple that is remembered can be copied any number of times.
    if (numbers.items.size() > Dtype.MOST_DIMENSIONS) {
      throw in.refuse(
          "a tensor has "
              + numbers.items.size()
              + " dimensions, but at most "
              + Dtype.MOST_DIMENSIONS
              + " are allowed");
    }
    long[] values = new long[numbers.items.size()];
    for (int i = 0; i < values.length; i++) {
      if (!(numbers.items.get(i) instanceof Long value)) {
        throw in.refuse(
            "a size or stride of a tensor is a " + PickleValue.kindOf(numbers.items.get(i)));
      }
      values[i] = value;
    }
    return values;
  }

  /**
   * {@code object.__setstate__(state)}. The state is dropped: an OrderedDict's holds {@code
   * _metadata}, the versions of Python's modules.
   */
  static void build(PickleBytes in, Object state, Object target) throws InvalidFileException {
    boolean plain = state instanceof Dict || state instanceof Tuple || state instanceof Opaque;
    if (!plain || !(target instanceof Dict || target instanceof Opaque)) {
      throw in.refuse("a " + PickleValue.kindOf(target) + " is given a state");
    }
  }

  /** The storage that {@code ('storage', class, key, location, count)} names. */
  static Storage persistent(PickleBytes in, Object id) throws InvalidFileException {
    if (id instanceof Tuple tuple
        && tuple.items.size() == 5
        && "storage".equals(tuple.items.get(0))
        && tuple.items.get(1) instanceof PickleGlobal type
        && type.kind() == PickleGlobal.Kind.STORAGE
        && tuple.items.get(2) instanceof String key
        && STORAGE_KEY.matcher(key).matches()
        && tuple.items.get(3) instanceof String
        && tuple.items.get(4) instanceof Long count
        && count >= 0) {
      return new Storage(type.dtype(), key, count);
    }
    throw in.refuse("its persistent id is not that of a storage");
  }
}
