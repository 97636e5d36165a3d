package org.repopt4j.io;

import static org.repopt4j.io.InvalidFileException.quote;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.io.PickleValue.View;
import org.repopt4j.io.StoredZipReader.Entry;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;

/**
 * Makes tensors of views of storages. A storage is read or mapped once, however many views it has;
 * every tensor gets memory of its own, but for one that is all of a mapped storage.
 */
final class PthTensors {
  private static final long FREE_COPIES = 64L << 20;

  private final Path file;
  private final FileChannel channel;
  private final Map<String, Entry> records;
  private final String archive;
  private final boolean mapped;
  private final Map<String, Tensor> storages = new HashMap<>();
  private Tensor mapping;
  private long copiesLeft;

  PthTensors(
      Path file, FileChannel channel, Map<String, Entry> records, String archive, boolean mapped)
      throws IOException {
    this.file = file;
    this.channel = channel;
    this.records = records;
    this.archive = archive;
    this.mapped = mapped;
    // Strides of zero let one value stand for any number of them, and a storage can have any number
    // of names, so a small file could ask for all memory.
    this.copiesLeft = FREE_COPIES + 4 * channel.size();
  }

  /** Reads the tensors; they outlive every open scope. */
  Map<String, Tensor> read(Map<String, View> views) throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    // Everything is checked before the first storage is read.
    Map<String, Integer> users = new HashMap<>();
    for (Map.Entry<String, View> entry : views.entrySet()) {
      int user = users.merge(entry.getValue().storage.key, 1, Integer::sum);
      check(entry.getKey(), entry.getValue(), user > 1);
    }
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      mapping = mapped ? TensorMemory.map(file, channel.size()) : null;
      for (Map.Entry<String, View> entry : views.entrySet()) {
        View view = entry.getValue();
        boolean shared = users.get(view.storage.key) > 1;
        tensors.put(entry.getKey(), Retained.retain(tensor(entry.getKey(), view, shared)));
      }
    } catch (Throwable e) {
      tensors.values().forEach(Tensor::close);
      throw e;
    }
    return tensors;
  }

  private static String storageId(View view) {
    return view.storage.key + " " + view.dtype;
  }

  private void check(String name, View view, boolean shared) throws InvalidFileException {
    Entry record = records.get(archive + "/data/" + view.storage.key);
    if (record == null) {
      throw refuse(name, "is in the record data/" + view.storage.key + ", which is missing");
    }
    // The count of an untyped storage is in bytes.
    long valueBytes = view.storage.dtype == null ? 1 : view.storage.dtype.bytes();
    if (record.length() % valueBytes != 0 || view.storage.count != record.length() / valueBytes) {
      throw refuse(
          name,
          "has a storage of "
              + view.storage.count
              + " values in a record of "
              + record.length()
              + " bytes");
    }
    long values = record.length() / view.dtype.bytes();
    long count;
    try {
      count = view.dtype.count(view.shape);
    } catch (ArithmeticException e) {
      throw refuse(name, "cannot be: " + e.getMessage());
    }
    if (view.offset < 0 || Arrays.stream(view.strides).anyMatch(stride -> stride < 0)) {
      throw refuse(name, "has a negative offset or stride");
    }
    if (count > 0 && last(view) >= values) {
      throw refuse(
          name,
          "of shape "
              + Arrays.toString(view.shape)
              + " and strides "
              + Arrays.toString(view.strides)
              + " from "
              + view.offset
              + " reaches beyond its storage of "
              + values
              + " values");
    }
    if (shared || !isWhole(view, values)) {
      copiesLeft -= count * view.dtype.bytes();
    }
    if (copiesLeft < 0) {
      throw refuse(name, "makes the file's views many times larger than the file");
    }
  }

  /** The index of the last value that a view with values reaches, or Long.MAX_VALUE. */
  private static long last(View view) {
    try {
      long last = view.offset;
      for (int i = 0; i < view.shape.length; i++) {
        last = Math.addExact(last, Math.multiplyExact(view.shape[i] - 1, view.strides[i]));
      }
      return last;
    } catch (ArithmeticException e) {
      return Long.MAX_VALUE;
    }
  }

  private static boolean isWhole(View view, long values) {
    long dense = 1;
    for (int i = view.shape.length - 1; i >= 0; i--) {
      if (view.shape[i] != 1 && view.strides[i] != dense) {
        return false;
      }
      dense *= view.shape[i];
    }
    return view.offset == 0 && dense == values;
  }

  private Tensor tensor(String name, View view, boolean shared) throws IOException {
    Tensor storage = storages.get(storageId(view));
    if (storage == null) {
      storage = storage(name, view);
      storages.put(storageId(view), storage);
    }
    boolean whole = isWhole(view, storage.numel());
    if (whole && !shared) {
      return storage.view(view.shape);
    }
    if (view.dtype.count(view.shape) == 0) {
      return TensorMemory.copy(storage.new_empty(view.shape));
    }
    return TensorMemory.copy(
        storage.as_strided(
            view.shape,
            view.strides,
            new LongOptional(storage.storage_offset() + view.offset))); // not 0 in a mapping
  }

  private Tensor storage(String name, View view) throws IOException {
    Entry record = records.get(archive + "/data/" + view.storage.key);
    long values = record.length() / view.dtype.bytes();
    if (mapping != null && values > 0 && TensorMemory.isMappable(view.dtype, record.start())) {
      return TensorMemory.part(mapping, record.start(), view.dtype, values);
    }
    return TensorMemory.read(
        file, channel, record.start(), "tensor " + quote(name), view.dtype, values);
  }

  private InvalidFileException refuse(String name, String problem) {
    return new InvalidFileException(file, "tensor " + quote(name) + " " + problem);
  }
}
