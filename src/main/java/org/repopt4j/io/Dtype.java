package org.repopt4j.io;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The types of values that files can hold here, with their names in each format. A constant's name
 * is the one of safetensors.
 */
public enum Dtype {
  /** IEEE 754 binary64. */
  F64(ScalarType.Double, 8, "DoubleStorage", "float64"),
  /** IEEE 754 binary32. */
  F32(ScalarType.Float, 4, "FloatStorage", "float32"),
  /** IEEE 754 binary16. */
  F16(ScalarType.Half, 2, "HalfStorage", "float16"),
  /** The upper half of a binary32. */
  BF16(ScalarType.BFloat16, 2, "BFloat16Storage", "bfloat16"),
  /** Signed, 64 bits. */
  I64(ScalarType.Long, 8, "LongStorage", "int64"),
  /** Signed, 32 bits. */
  I32(ScalarType.Int, 4, "IntStorage", "int32"),
  /** Signed, 16 bits. */
  I16(ScalarType.Short, 2, "ShortStorage", "int16"),
  /** Signed, 8 bits. */
  I8(ScalarType.Char, 1, "CharStorage", "int8"),
  /** Unsigned, 8 bits. */
  U8(ScalarType.Byte, 1, "ByteStorage", "uint8"),
  /** One byte, 0 or 1. */
  BOOL(ScalarType.Bool, 1, "BoolStorage", "bool");

  /** The most dimensions that a tensor in a file may have. */
  static final int MOST_DIMENSIONS = 64;

  private final ScalarType scalarType;
  private final int bytes;
  private final String storage;
  private final String torchName;

  Dtype(ScalarType scalarType, int bytes, String storage, String torchName) {
    this.scalarType = scalarType;
    this.bytes = bytes;
    this.storage = storage;
    this.torchName = torchName;
  }

  /**
   * The type of a tensor's values.
   *
   * @throws IllegalArgumentException if no file here can hold them
   */
  public static Dtype of(Tensor tensor) {
    ScalarType type = tensor.scalar_type().intern();
    for (Dtype dtype : values()) {
      if (dtype.scalarType == type) {
        return dtype;
      }
    }
    throw new IllegalArgumentException(
        "a tensor of type "
            + type
            + " cannot be written; convert it to one of "
            + Arrays.toString(values()));
  }

  /** The type that safetensors calls so, if it is one of these. */
  public static Optional<Dtype> named(String safetensorsName) {
    return Arrays.stream(values()).filter(d -> d.name().equals(safetensorsName)).findFirst();
  }

  /** libtorch's name of the type. */
  public ScalarType scalarType() {
    return scalarType;
  }

  /** Bytes of one value. */
  public int bytes() {
    return bytes;
  }

  /** The name of the storage class in the Python package {@code torch}. */
  String storage() {
    return storage;
  }

  /** The name of the type in the Python package {@code torch}. */
  String torchName() {
    return torchName;
  }

  /**
   * The number of values of a shape.
   *
   * @throws ArithmeticException with a sentence if a size is negative, there are more than 64
   *     dimensions, or the bytes of the non-empty dimensions do not fit a long
   */
  long count(long... shape) {
    if (shape.length > MOST_DIMENSIONS) {
      throw new ArithmeticException(
          "it has "
              + shape.length
              + " dimensions, but at most "
              + MOST_DIMENSIONS
              + " are allowed");
    }
    // libtorch multiplies the sizes beside a zero as well, so those must not overflow either.
    long product = bytes;
    boolean empty = false;
    for (long size : shape) {
      if (size < 0) {
        throw new ArithmeticException(
            "its shape " + Arrays.toString(shape) + " has a negative size");
      }
      empty |= size == 0;
      if (Math.multiplyHigh(product, Math.max(size, 1)) != 0 || product * Math.max(size, 1) < 0) {
        throw new ArithmeticException(
            "its shape " + Arrays.toString(shape) + " is impossibly large");
      }
      product *= Math.max(size, 1);
    }
    return empty ? 0 : product / bytes;
  }

  /** Whether files can hold this tensor: it is defined and dense. */
  static Tensor checkWritable(String name, Tensor tensor) {
    checkArgument(tensor != null && tensor.defined(), "tensor '%s' is undefined", name);
    checkArgument(
        !tensor.is_sparse() && !tensor.is_sparse_csr() && !tensor.is_quantized(),
        "tensor '%s' is sparse or quantized; write its dense values instead",
        name);
    return tensor;
  }
}
