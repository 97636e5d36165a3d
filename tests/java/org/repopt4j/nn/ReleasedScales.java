package org.repopt4j.nn;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipFile;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.Shared;

/**
 * The released scale files, read naively: in the pickle each parameter's name is followed by the
 * key of its storage; all are whole one-dimensional float32 storages.
 */
final class ReleasedScales {
  private ReleasedScales() {}

  static Map<String, Tensor> read(String architecture) {
    String file =
        architecture.equals("RepOpt-GhostNet-0.5x")
            ? "RepOptGhostNet_0_5x_scales.pth"
            : architecture + "-scales.pth";
    Map<String, Tensor> scales = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(Shared.path("official-scales/" + file).toFile())) {
      ByteBuffer pickle = ByteBuffer.wrap(entry(zip, "data.pkl")).order(ByteOrder.LITTLE_ENDIAN);
      String name = null;
      for (int at = 0; at + 5 < pickle.limit(); at++) {
        int length = pickle.get(at) == 'X' ? pickle.getInt(at + 1) : 0;
        if (length <= 0 || length > pickle.limit() - at - 5) {
          continue;
        }
        String text = new String(pickle.array(), at + 5, length, ISO_8859_1);
        if (text.matches("[\\w.]+\\.weight")) {
          name = text;
        } else if (name != null && text.matches("\\d+")) {
          ByteBuffer data =
              ByteBuffer.wrap(entry(zip, "data/" + text)).order(ByteOrder.LITTLE_ENDIAN);
          float[] values = new float[data.limit() / 4];
          data.asFloatBuffer().get(values);
          scales.put(
              new String(name.getBytes(ISO_8859_1), UTF_8), Tensors.of(values, values.length));
          name = null;
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return scales;
  }

  private static byte[] entry(ZipFile zip, String name) throws IOException {
    return zip.getInputStream(
            zip.stream().filter(e -> e.getName().endsWith("/" + name)).findFirst().orElseThrow())
        .readAllBytes();
  }
}
