package org.repopt4j.crosscheck;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;

/** A network of the catalog: initial values by hash, groups, and the forward pass where asked. */
final class WholeNetworkCase {
  private static final double TOLERANCE = 1e-5;

  private WholeNetworkCase() {}

  static void run(JsonNode json, TensorFile official, Findings findings) {
    long seed = json.get("seed").asLong();
    Architecture architecture = Architecture.named(json.get("arch").asText());
    for (String mode : Values.texts(json.get("modes"))) {
      Natives.manualSeed(seed);
      try (StepScope scope = StepScope.open();
          NoGrad noGrad = NoGrad.open();
          Subject subject =
              new VggSubject(architecture.build(Mode.parse(mode), json.get("classes").asInt()))) {
        String name = architecture.name() + " " + mode;
        findings.bitEqual(
            "initial values",
            name,
            TensorHash.compare(subject.state(), json.get("init").get(mode)));
        WeightDecayGroups.compare(findings, name, subject, json.get("groups").get(mode));
        if (json.get("forward").asBoolean()) {
          Draws draws = new Draws(seed);
          subject.fill(draws, mode);
          subject.training(false);
          Tensor images = draws.between("forward", -1.7, 1.7, Values.shape(json.get("image")));
          findings.within(
              "forward eval, float32",
              name,
              Difference.of(
                  List.of(subject.logits(images)), official.tensor(mode + ".eval32").flatten()),
              TOLERANCE);
        }
      }
    }
  }
}
