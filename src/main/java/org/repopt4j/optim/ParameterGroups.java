package org.repopt4j.optim;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.StringTensorDict;
import org.bytedeco.pytorch.StringTensorDictItem;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * All parameters that an optimizer trains, in groups. No parameter and no name stands in two of
 * them. Immutable.
 */
public final class ParameterGroups {
  private final ImmutableList<ParameterGroup> groups;

  private ParameterGroups(List<ParameterGroup> groups) {
    this.groups = ImmutableList.copyOf(groups);
    Set<String> names = new HashSet<>();
    Map<Long, String> nameOf = new HashMap<>();
    for (ParameterGroup group : this.groups) {
      group
          .parameters()
          .forEach(
              (name, tensor) -> {
                checkArgument(names.add(name), "two parameters have the name '%s'", name);
                String other = nameOf.putIfAbsent(Tensors.identity(tensor), name);
                checkArgument(
                    other == null,
                    "'%s' and '%s' are one and the same parameter; it would be updated twice",
                    other,
                    name);
              });
    }
    checkArgument(!names.isEmpty(), "an optimizer needs at least one parameter, got none");
  }

  /**
   * Groups as they are given.
   *
   * @throws IllegalArgumentException if they hold no parameter at all, or the same parameter or
   *     name twice
   */
  public static ParameterGroups of(ParameterGroup... groups) {
    return new ParameterGroups(Arrays.asList(groups));
  }

  /**
   * The official grouping ({@code set_weight_decay} of {@code optimizer.py}): weight decay for
   * every parameter but those of one dimension and those whose name ends in {@code .bias}; a name
   * that contains {@code identity.weight} has weight decay all the same. Parameters that do not
   * require a gradient are left out.
   *
   * @param named parameters by name, as a module names them
   * @param weightDecay for those that have it
   */
  public static ParameterGroups official(Map<String, Tensor> named, double weightDecay) {
    Map<String, Tensor> decay = new LinkedHashMap<>();
    Map<String, Tensor> noDecay = new LinkedHashMap<>();
    trainable(named)
        .forEach(
            (name, tensor) -> {
              boolean exempt = tensor.dim() == 1 || name.endsWith(".bias");
              (exempt && !name.contains("identity.weight") ? noDecay : decay).put(name, tensor);
            });
    return of(ParameterGroup.of(decay, weightDecay), ParameterGroup.of(noDecay, 0));
  }

  /** {@link #official(Map, double)} for all parameters of a module. */
  public static ParameterGroups official(Module module, double weightDecay) {
    return official(named(module), weightDecay);
  }

  static Map<String, Tensor> trainable(Map<String, Tensor> named) {
    Map<String, Tensor> trainable = new LinkedHashMap<>(named);
    trainable.values().removeIf(tensor -> !tensor.requires_grad());
    return trainable;
  }

  /** The parameters of a module and of those in it, in the module's order. */
  static Map<String, Tensor> named(Module module) {
    Map<String, Tensor> named = new LinkedHashMap<>();
    try (StepScope scope = StepScope.open()) {
      StringTensorDict all = module.named_parameters(/* recurse= */ true);
      for (long i = 0; i < all.size(); i++) {
        StringTensorDictItem item = all.get(i);
        named.put(item.key().getString(), Retained.retain(new Tensor(item.value())));
      }
    }
    return named;
  }

  /** Named by their places: {@code 0}, {@code 1} … */
  static Map<String, Tensor> named(List<Tensor> tensors) {
    Map<String, Tensor> named = new LinkedHashMap<>();
    for (Tensor tensor : tensors) {
      named.put(String.valueOf(named.size()), tensor);
    }
    return named;
  }

  static Map<String, Tensor> named(TensorVector tensors) {
    return named(Arrays.asList(tensors.get()));
  }

  /** The groups in order. */
  public List<ParameterGroup> groups() {
    return groups;
  }

  @Override
  public String toString() {
    return groups.toString();
  }
}
