package org.repopt4j.csla;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableMap;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.Tensors;

/**
 * Which parameter has which {@link GradMult}: what a network hands to the optimizer once.
 * Parameters are told apart by the libtorch tensor, not by the Java object. Immutable.
 */
public final class GradMults {
  private static final GradMults NONE = new GradMults(ImmutableMap.of());

  private record Entry(Tensor parameter, GradMult mult) {}

  // Each entry holds the tensor by a reference of its own, so that its identity cannot be given to
  // another one, whatever becomes of the caller's object.
  private final ImmutableMap<Long, Entry> byIdentity;

  private GradMults(Map<Long, Entry> byIdentity) {
    this.byIdentity = ImmutableMap.copyOf(byIdentity);
  }

  /** No parameter has one: the optimizer is an ordinary one. */
  public static GradMults none() {
    return NONE;
  }

  /**
   * These and one more.
   *
   * @throws IllegalArgumentException if the parameter's shape is not the mult's, or if it has a
   *     mult already
   */
  public GradMults and(Tensor parameter, GradMult mult) {
    checkArgument(
        Arrays.equals(Tensors.shape(parameter), mult.shape().tensorShape()),
        "a Grad Mult of shape %s does not fit a parameter of shape %s",
        mult.shape(),
        Arrays.toString(Tensors.shape(parameter)));
    Map<Long, Entry> more = new LinkedHashMap<>(byIdentity);
    Tensor held = Retained.retain(new Tensor(parameter));
    checkArgument(
        more.put(Tensors.identity(parameter), new Entry(held, mult)) == null,
        "a parameter of shape %s has a Grad Mult already",
        mult.shape());
    return new GradMults(more);
  }

  /** The mult of this parameter, if it has one. */
  public Optional<GradMult> of(Tensor parameter) {
    return Optional.ofNullable(byIdentity.get(Tensors.identity(parameter))).map(Entry::mult);
  }

  /** How many parameters have one. */
  public int size() {
    return byIdentity.size();
  }
}
