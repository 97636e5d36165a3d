package org.repopt4j.io;

import static com.google.common.base.Preconditions.checkArgument;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Tensors;

/**
 * Writes safetensors files ({@link SafetensorsHeader} is the format's specification). The header
 * lists the tensors in the caller's order; their data stands in the order of falling size of a
 * value, after a header padded to a multiple of 8, so that every tensor is aligned for its type.
 */
public final class SafetensorsWriter {
  private SafetensorsWriter() {}

  /**
   * Writes the tensors, atomically (see {@link AtomicFile}).
   *
   * @param tensors by name; from any device, of any layout of memory
   * @param metadata text that goes with them
   * @throws IllegalArgumentException if a name is {@code __metadata__} or not valid Unicode, or a
   *     tensor's type is not in {@link Dtype}
   */
  public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    AtomicFile.write(file, body(tensors, metadata));
  }

  /**
   * What such a file holds, to be written by whoever has another way to do so.
   *
   * @throws IllegalArgumentException as {@link #write} does
   */
  public static AtomicFile.Body body(Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    List<String> placed = new ArrayList<>(tensors.keySet());
    Map<String, Dtype> dtypes = new HashMap<>();
    for (String name : placed) {
      checkArgument(
          !name.equals(SafetensorsHeader.METADATA), "a tensor must not be called '%s'", name);
      checkUnicode(name);
      dtypes.put(name, Dtype.of(Dtype.checkWritable(name, tensors.get(name))));
    }
    metadata.forEach(
        (key, value) -> {
          checkUnicode(key);
          checkUnicode(value);
        });
    placed.sort(Comparator.comparingInt(name -> -dtypes.get(name).bytes()));
    byte[] header = header(tensors, metadata, placed, dtypes);
    checkArgument(
        header.length <= SafetensorsHeader.LONGEST,
        "the header would have %s bytes, must be at most %s",
        header.length,
        SafetensorsHeader.LONGEST);
    return channel -> {
      ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      TensorMemory.writeFully(channel, length.putLong(0, header.length));
      TensorMemory.writeFully(channel, ByteBuffer.wrap(header));
      for (String name : placed) {
        TensorMemory.write(tensors.get(name), slice -> TensorMemory.writeFully(channel, slice));
      }
    };
  }

  private static byte[] header(
      Map<String, Tensor> tensors,
      Map<String, String> metadata,
      List<String> placed,
      Map<String, Dtype> dtypes)
      throws IOException {
    Map<String, Long> begins = new HashMap<>();
    long at = 0;
    for (String name : placed) {
      begins.put(name, at);
      at += tensors.get(name).numel() * dtypes.get(name).bytes();
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(SafetensorsHeader.METADATA);
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
        Dtype dtype = dtypes.get(entry.getKey());
        long[] shape = Tensors.shape(entry.getValue());
        long begin = begins.get(entry.getKey());
        json.writeObjectFieldStart(entry.getKey());
        json.writeStringField("dtype", dtype.name());
        json.writeFieldName("shape");
        json.writeArray(shape, 0, shape.length);
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {begin, begin + dtype.count(shape) * dtype.bytes()}, 0, 2);
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    while (bytes.size() % 8 != 0) {
      bytes.write(' ');
    }
    return bytes.toByteArray();
  }

  static void checkUnicode(String text) {
    checkArgument(
        StandardCharsets.UTF_8.newEncoder().canEncode(text),
        "'%s' holds half of a surrogate pair and cannot be written as UTF-8",
        text);
  }
}
