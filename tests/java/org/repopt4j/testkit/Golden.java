package org.repopt4j.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Tensors;

/** A golden safetensors file, read naively and apart from the library's own reader. */
public final class Golden {
  private final ByteBuffer bytes;
  private final JsonNode header;
  private final int dataStart;

  private Golden(ByteBuffer bytes) throws IOException {
    this.bytes = bytes;
    int headerLength = (int) bytes.getLong(0);
    byte[] json = new byte[headerLength];
    bytes.get(8, json);
    this.header = new ObjectMapper().readTree(new String(json, StandardCharsets.UTF_8));
    this.dataStart = 8 + headerLength;
  }

  /** Reads {@code golden/name} of the shared folder. */
  public static Golden read(String name) {
    try {
      byte[] all = Files.readAllBytes(Shared.path("golden/" + name));
      return new Golden(ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads {@code golden/name} of the shared folder as JSON. */
  public static JsonNode json(String name) {
    try {
      return new ObjectMapper().readTree(Shared.path("golden/" + name).toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A value of the file's {@code __metadata__}. */
  public String metadata(String key) {
    return header.get("__metadata__").get(key).asText();
  }

  /** Whether there is a tensor of this name. */
  public boolean has(String name) {
    return header.has(name);
  }

  /** The tensor of this name on the {@link TestDevice}: float32 or int64. */
  public Tensor tensor(String name) {
    JsonNode entry = header.get(name);
    if (entry == null) {
      throw new NoSuchElementException(name);
    }
    long[] shape = new long[entry.get("shape").size()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = entry.get("shape").get(i).asLong();
    }
    int begin = dataStart + entry.get("data_offsets").get(0).asInt();
    int length =
        entry.get("data_offsets").get(1).asInt() - entry.get("data_offsets").get(0).asInt();
    ByteBuffer data = bytes.slice(begin, length).order(ByteOrder.LITTLE_ENDIAN);
    if (entry.get("dtype").asText().equals("F32")) {
      float[] values = new float[length / 4];
      data.asFloatBuffer().get(values);
      return TestDevice.on(Tensors.of(values, shape));
    }
    long[] values = new long[length / 8];
    data.asLongBuffer().get(values);
    return TestDevice.on(Tensors.of(values, shape));
  }

  /** All tensors whose name begins with {@code prefix}, without it, in the file's order. */
  public Map<String, Tensor> tensors(String prefix) {
    Map<String, Tensor> found = new LinkedHashMap<>();
    header
        .fieldNames()
        .forEachRemaining(
            name -> {
              if (name.startsWith(prefix)) {
                found.put(name.substring(prefix.length()), tensor(name));
              }
            });
    return found;
  }
}
