package org.repopt4j.crosscheck;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.train.EquivalenceCheck;
import org.repopt4j.train.EquivalenceCheck.Comparison;
import org.repopt4j.train.EquivalenceCheck.Signs;

/**
 * What an official equivalence script prints, beside {@link EquivalenceCheck} for a block of the
 * same kind. The two draw different data, so only the size of the difference can agree; the
 * script's is the median of runs with several seeds, because AdamW's eps makes its figure large for
 * a few.
 */
final class EquivalenceScriptCase {
  /** Far above float32 rounding over 50 steps, far below what a wrong rule makes. */
  private static final double TOLERANCE = 1e-4;

  private EquivalenceScriptCase() {}

  static void run(JsonNode json, Findings findings) {
    boolean ghost = json.get("script").asText().contains("repghost");
    String block = ghost ? "depthwise 3x3 + identity" : "3x3 + 1x1";
    int steps = ghost ? 5 : 50;
    for (Comparison c : new EquivalenceCheck(steps, json.get("seed").asLong()).run()) {
      if (c.block().equals(block)
          && c.signs() == Signs.POSITIVE
          && c.rule() != UpdateRule.ADAMW_EXACT) {
        String rule = c.rule() == UpdateRule.SGD ? "sgd" : "adamw";
        double official = json.get(rule).asDouble();
        double worse = Math.max(official, c.float32());
        findings.within(
            json.get("script").asText(),
            rule,
            new Difference(-1, worse, 1),
            TOLERANCE,
            String.format(
                Locale.ROOT,
                "block against convolution in float32: the script prints %.1e (median of %d seeds, largest %.1e), here it is %.1e (float64: %.1e)",
                official,
                json.get("runs").asInt(),
                json.get(rule + "_largest").asDouble(),
                c.float32(),
                c.float64()));
      }
    }
  }
}
