package org.repopt4j.nn;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableMap;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Tensors;

/**
 * The scales of one CSLA block under their official names, one float32 for each output channel.
 * Immutable; the values are copied in and out.
 */
public final class BlockScales {
  private final String block;
  private final ImmutableMap<String, float[]> values;

  private BlockScales(String block, ImmutableMap<String, float[]> values) {
    this.block = block;
    this.values = values;
  }

  /**
   * The scales of a block.
   *
   * @param block the path of its module, for example {@code stage1.0}
   * @param values for example {@code scale_1x1.weight} and {@code scale_conv.weight}
   * @throws IllegalArgumentException if a value is not a finite number
   */
  public static BlockScales of(String block, Map<String, float[]> values) {
    ImmutableMap.Builder<String, float[]> copies = ImmutableMap.builder();
    values.forEach(
        (name, floats) -> {
          for (int i = 0; i < floats.length; i++) {
            checkFinite(block, name, floats[i], i);
          }
          copies.put(name, floats.clone());
        });
    return new BlockScales(block, copies.buildOrThrow());
  }

  private static void checkFinite(String block, String name, float value, int channel) {
    checkArgument(
        Float.isFinite(value),
        "scales must be finite numbers, but %s.%s is %s at output channel %s",
        block,
        name,
        value,
        channel);
  }

  /** The path of the block's module. */
  public String block() {
    return block;
  }

  /** The names of its scales, in the order of the state dict. */
  public Set<String> names() {
    return values.keySet();
  }

  /**
   * A copy of the values of one name.
   *
   * @throws IllegalArgumentException if the block has no scale of this name
   */
  public float[] values(String name) {
    float[] found = values.get(name);
    checkArgument(found != null, "block %s has the scales %s, not '%s'", block, names(), name);
    return found.clone();
  }

  double[] doubles(String name) {
    float[] floats = values(name);
    double[] doubles = new double[floats.length];
    Arrays.setAll(doubles, i -> floats[i]);
    return doubles;
  }

  Tensor tensor(String name) {
    float[] floats = values(name);
    return Tensors.of(floats, floats.length);
  }

  /** Equal blocks have the same names and, bit for bit, the same values. */
  @Override
  public boolean equals(Object other) {
    return other instanceof BlockScales that
        && block.equals(that.block)
        && values.keySet().equals(that.values.keySet())
        && values.keySet().stream()
            .allMatch(name -> Arrays.equals(values.get(name), that.values.get(name)));
  }

  @Override
  public int hashCode() {
    int hash = block.hashCode();
    for (float[] floats : values.values()) {
      hash = 31 * hash + Arrays.hashCode(floats);
    }
    return hash;
  }

  @Override
  public String toString() {
    return block + values.keySet();
  }
}
