package org.repopt4j.io;

import static com.google.common.base.Preconditions.checkArgument;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;

/**
 * An open safetensors file whose tensors are read by name, when they are asked for, or mapped. The
 * header is checked as a whole when the file is opened ({@link SafetensorsHeader} is the format's
 * specification).
 *
 * <pre>{@code
 * try (SafetensorsReader file = SafetensorsReader.open(Path.of("b1.safetensors"))) {
 *   Tensor weight = file.read("linear.weight");
 * }
 * }</pre>
 */
public final class SafetensorsReader implements Closeable {
  private final Path file;
  private final FileChannel channel;
  private final SafetensorsHeader header;

  private SafetensorsReader(Path file, FileChannel channel, SafetensorsHeader header) {
    this.file = file;
    this.channel = channel;
    this.header = header;
  }

  /**
   * Opens a file and checks its header.
   *
   * @throws InvalidFileException if it is not a safetensors file
   */
  public static SafetensorsReader open(Path file) throws IOException {
    FileChannel channel = StateDicts.channel(file);
    try {
      return new SafetensorsReader(file, channel, SafetensorsHeader.read(file, channel));
    } catch (Throwable e) {
      channel.close();
      throw e;
    }
  }

  /** The tensors' names, in the header's order. */
  public List<String> names() {
    return new ArrayList<>(header.entries().keySet());
  }

  /** The text that came with the tensors; unmodifiable. */
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(header.metadata());
  }

  /** Whether there is a tensor of this name. */
  public boolean has(String name) {
    return header.entries().containsKey(name);
  }

  /** The shape of a tensor. */
  public long[] shape(String name) {
    return entry(name).shape.clone();
  }

  /** The type of a tensor's values. */
  public Dtype dtype(String name) {
    return entry(name).dtype;
  }

  /**
   * Reads one tensor. It outlives every open scope, see {@link TensorFile}.
   *
   * @throws IllegalArgumentException if there is no tensor of this name
   * @throws InvalidFileException if the file changed, or holds a bool that is not 0 or 1
   */
  public Tensor read(String name) throws IOException {
    SafetensorsHeader.Entry entry = entry(name);
    try (StepScope scope = StepScope.open()) {
      return Retained.retain(
          TensorMemory.read(
              file,
              channel,
              header.dataStart() + entry.begin,
              "tensor " + InvalidFileException.quote(name),
              entry.dtype,
              entry.shape));
    }
  }

  /** Reads all tensors. */
  public TensorFile readAll() throws IOException {
    return readAll(header.entries().keySet());
  }

  /** Reads some of the tensors. */
  TensorFile readAll(Collection<String> names) throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try {
      for (String name : names) {
        tensors.put(name, read(name));
      }
    } catch (Throwable e) {
      tensors.values().forEach(Tensor::close);
      throw e;
    }
    return new TensorFile(tensors, header.metadata(), List.of());
  }

  /**
   * Maps the file instead of reading it: nothing is copied, a page comes into memory when it is
   * first touched, and processes that map the same file share it. The memory is given back when the
   * last of the tensors is closed; the reader may be closed before. Changing a tensor does not
   * change the file. Tensors of booleans, whose bytes must be checked, and those that do not lie at
   * a multiple of their value's size are read.
   *
   * <p>As with every mapping, a process ends at once when it touches a page that is no longer
   * there: a file that is mapped must not be cut short. Replacing it by another one, as {@link
   * AtomicFile} does, is safe. Where that cannot be relied on, {@link #readAll} is the way.
   *
   * @throws InvalidFileException if the file changed, or holds a bool that is not 0 or 1
   */
  public TensorFile map() throws IOException {
    return map(header.entries().keySet());
  }

  /** Maps some of the tensors, see {@link #map()}. */
  TensorFile map(Collection<String> names) throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try (StepScope scope = StepScope.open()) {
      Tensor bytes = TensorMemory.map(file, header.size());
      for (String name : names) {
        tensors.put(name, mapped(bytes, name));
      }
    } catch (Throwable e) {
      tensors.values().forEach(Tensor::close);
      throw e;
    }
    return new TensorFile(tensors, header.metadata(), List.of());
  }

  private Tensor mapped(Tensor bytes, String name) throws IOException {
    SafetensorsHeader.Entry entry = entry(name);
    long begin = header.dataStart() + entry.begin;
    return entry.begin < entry.end && TensorMemory.isMappable(entry.dtype, begin)
        ? Retained.retain(TensorMemory.part(bytes, begin, entry.dtype, entry.shape))
        : read(name);
  }

  private SafetensorsHeader.Entry entry(String name) {
    SafetensorsHeader.Entry entry = header.entries().get(name);
    checkArgument(
        entry != null, "%s has no tensor '%s' among its %s", file, name, header.entries().size());
    return entry;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
