package org.repopt4j.nn;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Joiner;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.Tensors;

/**
 * What of a state dict did not fit a layer.
 *
 * @param missing names that the layer has and the state dict has not
 * @param unexpected names that the state dict has and the layer has not
 * @param misshapen names that both have, with different shapes
 */
public record LoadReport(
    ImmutableList<String> missing,
    ImmutableList<String> unexpected,
    ImmutableList<Misshapen> misshapen) {
  private static final int SHOWN = 3;

  /** A tensor of another shape than the layer's. */
  public record Misshapen(String name, ImmutableList<Long> expected, ImmutableList<Long> actual) {
    @Override
    public String toString() {
      return name + " (needs " + expected + ", got " + actual + ")";
    }
  }

  static LoadReport compare(Map<String, Tensor> own, Map<String, Tensor> given) {
    ImmutableList.Builder<String> missing = ImmutableList.builder();
    ImmutableList.Builder<Misshapen> misshapen = ImmutableList.builder();
    own.forEach(
        (name, tensor) -> {
          Tensor value = given.get(name);
          if (value == null) {
            missing.add(name);
          } else if (!Arrays.equals(Tensors.shape(tensor), Tensors.shape(value))) {
            misshapen.add(new Misshapen(name, shape(tensor), shape(value)));
          }
        });
    ImmutableList<String> unexpected =
        given.keySet().stream()
            .filter(name -> !own.containsKey(name))
            .collect(ImmutableList.toImmutableList());
    return new LoadReport(missing.build(), unexpected, misshapen.build());
  }

  private static ImmutableList<Long> shape(Tensor tensor) {
    return Arrays.stream(Tensors.shape(tensor)).boxed().collect(ImmutableList.toImmutableList());
  }

  void copyFitting(Map<String, Tensor> own, Map<String, Tensor> given) {
    ImmutableSet<String> unfit =
        misshapen.stream().map(Misshapen::name).collect(ImmutableSet.toImmutableSet());
    try (NoGrad noGrad = NoGrad.open()) {
      own.forEach(
          (name, tensor) -> {
            if (given.containsKey(name) && !unfit.contains(name)) {
              tensor.copy_(given.get(name));
            }
          });
    }
  }

  /** Whether everything fits: nothing missing, left over or misshapen. */
  public boolean isComplete() {
    return missing.isEmpty() && unexpected.isEmpty() && misshapen.isEmpty();
  }

  /**
   * Refuses anything that does not fit.
   *
   * @throws IllegalArgumentException that lists all of it
   */
  public void checkComplete() {
    checkArgument(isComplete(), "the state dict does not fit: %s", this);
  }

  /** Everything that does not fit. */
  @Override
  public String toString() {
    return text(LoadReport::all);
  }

  /** How much does not fit, and the first three names of each kind. */
  public String summary() {
    return text(LoadReport::first);
  }

  private String text(Function<List<?>, String> names) {
    List<String> parts = new ArrayList<>();
    if (!missing.isEmpty()) {
      parts.add("missing " + names.apply(missing));
    }
    if (!unexpected.isEmpty()) {
      parts.add("unexpected " + names.apply(unexpected));
    }
    if (!misshapen.isEmpty()) {
      parts.add("of another shape " + names.apply(misshapen));
    }
    return parts.isEmpty() ? "complete" : String.join("; ", parts);
  }

  private static String all(List<?> names) {
    return names.toString();
  }

  private static String first(List<?> names) {
    return names.size()
        + ": "
        + Joiner.on(", ").join(names.subList(0, Math.min(SHOWN, names.size())))
        + (names.size() > SHOWN ? ", ..." : "");
  }
}
