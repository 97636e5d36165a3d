package org.repopt4j.crosscheck;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.BlockSpec;
import org.repopt4j.nn.Scales;
import org.repopt4j.runtime.StepScope;

/** One of the released scale files: its tensors, and the Grad Mults that they make, by hash. */
final class ReleasedScalesCase {
  private ReleasedScalesCase() {}

  static void run(JsonNode json, Path official, Findings findings) throws IOException {
    Architecture architecture = Architecture.named(json.get("arch").asText());
    try (TensorFile file = StateDicts.read(official.resolve(json.get("path").asText()))) {
      findings.bitEqual(
          "tensors of the released scales",
          architecture.name(),
          TensorHash.compare(file.tensors(), json.get("tensors")));
      Scales scales = Scales.fromStateDict(file.tensors(), architecture);
      gradMults("sgd", UpdateRule.SGD, scales, json, findings);
      gradMults("adamw", UpdateRule.ADAMW_OFFICIAL, scales, json, findings);
    }
  }

  private static void gradMults(
      String name, UpdateRule rule, Scales scales, JsonNode json, Findings findings) {
    JsonNode hashes = json.get("mults").get(name);
    List<BlockSpec> blocks = scales.architecture().blocks();
    boolean equal = hashes.size() == blocks.size();
    long values = 0;
    for (BlockSpec spec : blocks) {
      try (StepScope scope = StepScope.open()) {
        Tensor mult = spec.block(scales.block(spec.name())).gradMult().dense(rule);
        values += mult.numel();
        equal &= TensorHash.of(mult).equals(hashes.path(spec.weightName()).asText());
      }
    }
    findings.bitEqual(
        "Grad Mults of the released scales",
        scales.architecture().name() + ", " + name,
        Difference.exact(equal, values));
  }
}
