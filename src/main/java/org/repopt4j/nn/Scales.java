package org.repopt4j.nn;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Tensors;

/**
 * What hyper-search yields: for each CSLA block of an architecture its branches' scales, under the
 * names that they have in the official hs state dict. Immutable, without native memory.
 */
public final class Scales {
  private static final ImmutableSet<String> MEMBERS =
      ImmutableSet.of(
          "scale_conv.weight",
          "scale_1x1.weight",
          "scale_identity.weight",
          "fusion_scale.weight",
          "cheap_operation.1.weight");

  private final Architecture architecture;
  private final ImmutableMap<String, BlockScales> blocks;

  private Scales(Architecture architecture, ImmutableMap<String, BlockScales> blocks) {
    this.architecture = architecture;
    this.blocks = blocks;
  }

  /**
   * Scales made by hand.
   *
   * @param blocks one for each CSLA block of the architecture, in any order
   * @throws IllegalArgumentException if they do not fit; it names the first block that differs
   */
  public static Scales of(Architecture architecture, List<BlockScales> blocks) {
    ImmutableMap<String, BlockScales> given =
        blocks.stream()
            .collect(ImmutableMap.toImmutableMap(BlockScales::block, Function.identity()));
    ImmutableMap.Builder<String, BlockScales> ordered = ImmutableMap.builder();
    for (BlockSpec spec : architecture.blocks()) {
      BlockScales scales = given.get(spec.name());
      checkArgument(
          scales != null,
          "the scales do not fit %s: block %s has none",
          architecture.spec(),
          spec.name());
      checkFit(architecture, spec, scales);
      ordered.put(spec.name(), scales);
    }
    ImmutableMap<String, BlockScales> all = ordered.buildOrThrow();
    for (String name : given.keySet()) {
      checkArgument(
          all.containsKey(name),
          "the scales do not fit %s: there is no block %s",
          architecture.spec(),
          name);
    }
    return new Scales(architecture, all);
  }

  private static void checkFit(Architecture architecture, BlockSpec spec, BlockScales scales) {
    for (String name : spec.scaleNames()) {
      checkArgument(
          scales.names().contains(name),
          "the scales do not fit %s: block %s lacks %s",
          architecture.spec(),
          spec.name(),
          name);
      int length = scales.values(name).length;
      checkArgument(
          length == spec.shape().out(),
          "the scales do not fit %s: block %s needs %s values of %s, got %s",
          architecture.spec(),
          spec.name(),
          spec.shape().out(),
          name,
          length);
    }
    for (String name : scales.names()) {
      checkArgument(
          spec.scaleNames().contains(name),
          "the scales do not fit %s: block %s has no %s there",
          architecture.spec(),
          spec.name(),
          name);
    }
  }

  /**
   * The scales in an hs or csla state dict, or in a file of released scales. Other entries do not
   * matter.
   *
   * @throws IllegalArgumentException if there are none, or if they are not exactly those that the
   *     architecture needs; it names the first block that differs
   */
  public static Scales fromStateDict(Map<String, Tensor> state, Architecture architecture) {
    Map<String, ImmutableMap.Builder<String, float[]>> found = new LinkedHashMap<>();
    state.forEach(
        (key, tensor) -> {
          for (String member : MEMBERS) {
            if (key.endsWith("." + member)) {
              String block = key.substring(0, key.length() - member.length() - 1);
              found
                  .computeIfAbsent(block, b -> ImmutableMap.builder())
                  .put(member, Tensors.toFloats(tensor));
            }
          }
        });
    checkArgument(
        !found.isEmpty(),
        "no scales among the %s entries; scales are in the state dict of an hs or csla network of %s",
        state.size(),
        architecture.spec());
    ImmutableList.Builder<BlockScales> blocks = ImmutableList.builder();
    found.forEach((name, values) -> blocks.add(BlockScales.of(name, values.buildOrThrow())));
    return of(architecture, blocks.build());
  }

  /**
   * The scales that a network holds now.
   *
   * @throws IllegalArgumentException if its mode is neither hs nor csla
   */
  public static Scales of(Network network) {
    checkArgument(
        network.mode().hasScales(),
        "scales are in networks of the modes hs and csla, got: %s",
        network.mode());
    return fromStateDict(network.stateDict(), network.architecture());
  }

  /** The architecture that they fit. */
  public Architecture architecture() {
    return architecture;
  }

  /** One for each block, in the network's order. */
  public ImmutableList<BlockScales> blocks() {
    return blocks.values().asList();
  }

  /**
   * The scales of one block.
   *
   * @throws IllegalArgumentException if there is no block of this name
   */
  public BlockScales block(String name) {
    BlockScales found = blocks.get(name);
    checkArgument(found != null, "%s has no block '%s'", architecture.spec(), name);
    return found;
  }

  /** New tensors {@code [out]} under their full official names, in the hs state dict's order. */
  public Map<String, Tensor> toStateDict() {
    Map<String, Tensor> state = new LinkedHashMap<>();
    for (BlockSpec spec : architecture.blocks()) {
      BlockScales scales = block(spec.name());
      spec.scaleNames().forEach(name -> state.put(spec.qualified(name), scales.tensor(name)));
    }
    return state;
  }

  /** Checks them against another architecture; {@link #of(Architecture, List)} says how. */
  void checkFits(Architecture other) {
    if (!other.equals(architecture)) {
      of(other, blocks());
    }
  }

  /** Equal scales have the same blocks and, bit for bit, the same values. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Scales that && blocks.equals(that.blocks);
  }

  @Override
  public int hashCode() {
    return blocks.hashCode();
  }

  @Override
  public String toString() {
    return "Scales[" + architecture.spec() + ", " + blocks.size() + " blocks]";
  }
}
