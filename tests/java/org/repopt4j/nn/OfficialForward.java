package org.repopt4j.nn;

import static org.repopt4j.testkit.TensorAsserts.assertRelative;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/** {@code official-forward.json}: logits of seeded official networks; the file says how. */
final class OfficialForward {
  private OfficialForward() {}

  static Tensor images(int n, int side) {
    float[] values = new float[n * 3 * side * side];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (Math.sin(i * 0.37) + Math.cos(i * 0.011));
    }
    return Tensors.of(values, n, 3, side, side);
  }

  static void check(String spec, String officialMode, boolean compareTraining) {
    JsonNode expected = read().get("cases").get(spec + "-" + officialMode);
    Natives.manualSeed(7);
    Network network = Architecture.parse(spec).build(Mode.parse(officialMode), 10);
    try (StepScope scope = StepScope.open()) {
      Tensor images = images(2, expected.get("side").asInt());
      Tensor train = network.forward(images).detach();
      if (compareTraining) {
        assertRelative("train", 1e-5, logits(expected.get("train")), train);
      }
      network.eval();
      assertRelative("eval", 1e-5, logits(expected.get("eval")), network.forward(images).detach());
    } finally {
      network.close();
    }
  }

  private static JsonNode read() {
    try {
      return new ObjectMapper()
          .readTree(OfficialForward.class.getResourceAsStream("official-forward.json"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Tensor logits(JsonNode values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values.get(i).asDouble();
    }
    return Tensors.of(floats, 2, 10);
  }
}
