package org.repopt4j.io;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Writes the pickle of an OrderedDict of tensors, protocol 2, with the opcodes that {@code
 * torch.load(weights_only=True)} allows.
 */
final class PickleWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  PickleWriter() {
    bytes(0x80, 2);
    emptyOrderedDict();
    out.write('('); // SETITEMS takes all up to this mark
  }

  /** Adds a dense tensor whose values are the record {@code data/key}. */
  PickleWriter tensor(String name, Dtype dtype, String key, long... shape) {
    text(name);
    global("torch._utils", "_rebuild_tensor_v2");
    out.write('(');
    out.write('(');
    text("storage");
    global("torch", dtype.storage());
    text(key);
    text("cpu");
    number(dtype.count(shape));
    bytes('t', 'Q');
    number(0);
    tuple(shape);
    tuple(strides(shape));
    out.write(0x89); // requires_grad
    emptyOrderedDict(); // hooks
    bytes('t', 'R');
    return this;
  }

  /** Ends the pickle. */
  byte[] finish() {
    bytes('u', '.');
    return out.toByteArray();
  }

  private static long[] strides(long[] shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= Math.max(shape[i], 1);
    }
    return strides;
  }

  private void emptyOrderedDict() {
    global("collections", "OrderedDict");
    bytes(')', 'R');
  }

  private void global(String module, String name) {
    out.write('c');
    out.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
  }

  private void text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    out.write('X');
    out.writeBytes(little(4).putInt(0, utf8.length).array());
    out.writeBytes(utf8);
  }

  private void tuple(long[] values) {
    out.write('(');
    for (long value : values) {
      number(value);
    }
    out.write('t');
  }

  private void number(long value) {
    if (value >= 0 && value < 256) {
      bytes('K', (int) value);
    } else if (value == (int) value) {
      out.write('J');
      out.writeBytes(little(4).putInt(0, (int) value).array());
    } else {
      bytes(0x8a, 8);
      out.writeBytes(little(8).putLong(0, value).array());
    }
  }

  private void bytes(int... values) {
    for (int value : values) {
      out.write(value);
    }
  }

  private static ByteBuffer little(int length) {
    return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
  }
}
