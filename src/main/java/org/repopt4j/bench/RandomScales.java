package org.repopt4j.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.BlockScales;
import org.repopt4j.nn.BlockSpec;
import org.repopt4j.nn.Scales;

/** Stands in for searched scales: of both signs, as these are, and none near 0. */
final class RandomScales {
  private RandomScales() {}

  static Scales of(Architecture arch, long seed) {
    Random random = new Random(seed);
    List<BlockScales> blocks = new ArrayList<>();
    for (BlockSpec spec : arch.blocks()) {
      Map<String, float[]> values = new LinkedHashMap<>();
      for (String name : spec.scaleNames()) {
        float[] one = new float[spec.shape().out()];
        for (int o = 0; o < one.length; o++) {
          one[o] = (random.nextBoolean() ? 1 : -1) * (0.2f + 1.2f * random.nextFloat());
        }
        values.put(name, one);
      }
      blocks.add(BlockScales.of(spec.name(), values));
    }
    return Scales.of(arch, blocks);
  }
}
