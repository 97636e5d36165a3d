package org.repopt4j.io;

import static org.repopt4j.io.InvalidFileException.quote;

import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;

/**
 * A set of safetensors files that hold one state dict together, named by an index file: a JSON
 * object whose {@code weight_map} gives for each tensor the file that it is in. A file is a plain
 * name in the folder of the index.
 */
public final class SafetensorsIndex {
  /** How the name of an index file ends. */
  public static final String SUFFIX = ".index.json";

  private static final Pattern PLAIN_NAME =
      Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,200}\\.safetensors");

  private SafetensorsIndex() {}

  /**
   * Reads all tensors that the index names, in its order.
   *
   * @throws InvalidFileException if the index or one of the files is not what it should be
   */
  public static TensorFile read(Path index) throws IOException {
    return open(index, SafetensorsReader::readAll);
  }

  /**
   * Maps the files instead of reading them, see {@link SafetensorsReader#map}.
   *
   * @throws InvalidFileException if the index or one of the files is not what it should be
   */
  public static TensorFile map(Path index) throws IOException {
    return open(index, SafetensorsReader::map);
  }

  /** Takes tensors from one file of the set. */
  @FunctionalInterface
  private interface Taking {
    TensorFile take(SafetensorsReader reader, List<String> names) throws IOException;
  }

  private static TensorFile open(Path index, Taking taking) throws IOException {
    Map<String, String> weightMap = weightMap(index);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    weightMap.keySet().forEach(name -> tensors.put(name, null));
    Map<String, String> metadata = new LinkedHashMap<>();
    Map<String, List<String>> byFile = new TreeMap<>();
    weightMap.forEach(
        (name, shard) -> byFile.computeIfAbsent(shard, s -> new ArrayList<>()).add(name));
    try {
      for (Map.Entry<String, List<String>> shard : byFile.entrySet()) {
        openShard(index, shard.getKey(), shard.getValue(), taking, tensors, metadata);
      }
    } catch (Throwable e) {
      tensors.values().stream().filter(Objects::nonNull).forEach(Tensor::close);
      throw e;
    }
    return new TensorFile(tensors, metadata, List.of());
  }

  private static void openShard(
      Path index,
      String shard,
      List<String> names,
      Taking taking,
      Map<String, Tensor> tensors,
      Map<String, String> metadata)
      throws IOException {
    try (SafetensorsReader reader = SafetensorsReader.open(index.resolveSibling(shard))) {
      reader.metadata().forEach(metadata::putIfAbsent);
      for (String name : names) {
        if (!reader.has(name)) {
          throw new InvalidFileException(index, "tensor " + quote(name) + " is not in " + shard);
        }
      }
      tensors.putAll(taking.take(reader, names).tensors());
    }
  }

  private static Map<String, String> weightMap(Path index) throws IOException {
    Map<String, String> weightMap = new LinkedHashMap<>();
    try (FileChannel channel = StateDicts.channel(index)) {
      if (channel.size() > SafetensorsHeader.LONGEST) {
        throw new InvalidFileException(
            index,
            "it has " + channel.size() + " bytes, an index at most " + SafetensorsHeader.LONGEST);
      }
      try (StrictJson json = StrictJson.open(index, channel, 0, channel.size())) {
        json.object(
            (key, token) -> {
              if (key.equals("weight_map")) {
                json.nested(
                    token, (name, file) -> weightMap.put(name, plain(index, json, name, file)));
              } else {
                json.parser().skipChildren();
              }
            });
      }
    }
    if (weightMap.isEmpty()) {
      throw new InvalidFileException(index, "its weight_map is missing or empty");
    }
    return weightMap;
  }

  private static String plain(Path index, StrictJson json, String name, JsonToken token)
      throws IOException {
    String file = json.text(name, token);
    if (!PLAIN_NAME.matcher(file).matches()) {
      throw new InvalidFileException(
          index,
          "tensor "
              + quote(name)
              + " is said to be in "
              + quote(file)
              + ", must be the plain name of a .safetensors file");
    }
    return file;
  }
}
