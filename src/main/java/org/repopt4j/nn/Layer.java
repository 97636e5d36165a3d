package org.repopt4j.nn;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkNotNull;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;

/**
 * A module whose parameters, buffers and children are known to Java as well as to libtorch: {@code
 * to(device)}, {@code train()}, {@code eval()}, {@code zero_grad()} and {@code parameters()} are
 * libtorch's own, {@link #stateDict()} has the names and the order of Python's {@code
 * state_dict()}.
 *
 * <p>A layer outlives every {@link org.repopt4j.runtime.StepScope} that was open when it was made.
 * The tensors that {@link #forward} makes belong to the caller's scope. Call {@link Natives#load}
 * before the first layer is made ({@link Architecture#build} does).
 */
public abstract class Layer extends Module {
  private final Map<String, Tensor> ownParameters = new LinkedHashMap<>();
  private final Map<String, Tensor> ownBuffers = new LinkedHashMap<>();
  private final Map<String, Layer> ownChildren = new LinkedHashMap<>();
  private final List<Pointer> owned = new ArrayList<>();

  /**
   * A layer without parameters and children.
   *
   * @param typeName what libtorch calls it in its messages
   */
  @SuppressWarnings("this-escape") // Only libtorch's handle is kept, no state of a subclass.
  protected Layer(String typeName) {
    super(typeName);
    Retained.retain(this);
  }

  /** The layer's output. */
  public abstract Tensor forward(Tensor input);

  /** Registers a trainable parameter and gives it back. */
  protected final Tensor parameter(String name, Tensor value) {
    return parameter(name, value, /* trainable= */ true);
  }

  /** Registers a parameter, trainable or constant (Python's {@code requires_grad_(False)}). */
  protected final Tensor parameter(String name, Tensor value, boolean trainable) {
    checkNewName(name);
    // The reference that libtorch gives back dies when the next parameter is registered: keep ours.
    register_parameter(name, value, trainable);
    ownParameters.put(name, owned(value));
    return value;
  }

  /** Registers a buffer: part of the state, but not trained. */
  protected final Tensor buffer(String name, Tensor value) {
    checkNewName(name);
    register_buffer(name, value);
    ownBuffers.put(name, owned(value));
    return value;
  }

  /** Registers a child; children come after parameters and buffers, in order of registration. */
  protected final <L extends Layer> L child(String name, L layer) {
    checkNewName(name);
    register_module(name, layer);
    ownChildren.put(name, layer);
    return layer;
  }

  /** Keeps a native object for as long as this layer lives. */
  protected final <P extends Pointer> P owned(P pointer) {
    owned.add(Retained.retain(checkNotNull(pointer, "pointer")));
    return pointer;
  }

  private void checkNewName(String name) {
    checkArgument(
        !ownParameters.containsKey(name)
            && !ownBuffers.containsKey(name)
            && !ownChildren.containsKey(name),
        "the layer has a member named '%s' already",
        name);
  }

  /**
   * The live parameters and buffers under their full names, in the order of Python's {@code
   * state_dict()}: a layer's parameters, its buffers, then its children, recursively.
   */
  public final Map<String, Tensor> stateDict() {
    Map<String, Tensor> state = new LinkedHashMap<>();
    walk(
        "",
        (prefix, layer) -> {
          layer.ownParameters.forEach((name, tensor) -> state.put(prefix + name, tensor));
          layer.ownBuffers.forEach((name, tensor) -> state.put(prefix + name, tensor));
        });
    return state;
  }

  /** The live parameters, constant ones too, in the order of Python's {@code named_parameters}. */
  public final Map<String, Tensor> namedParameters() {
    Map<String, Tensor> found = new LinkedHashMap<>();
    walk(
        "",
        (prefix, layer) -> layer.ownParameters.forEach((name, t) -> found.put(prefix + name, t)));
    return found;
  }

  /** The live buffers in the order of Python's {@code named_buffers}. */
  public final Map<String, Tensor> namedBuffers() {
    Map<String, Tensor> found = new LinkedHashMap<>();
    walk("", (prefix, layer) -> layer.ownBuffers.forEach((name, t) -> found.put(prefix + name, t)));
    return found;
  }

  /** This layer (named {@code ""}) and all below it, in the order of Python's {@code modules}. */
  public final Map<String, Layer> namedLayers() {
    Map<String, Layer> found = new LinkedHashMap<>();
    walk(
        "",
        (prefix, layer) ->
            found.put(prefix.isEmpty() ? prefix : prefix.substring(0, prefix.length() - 1), layer));
    return found;
  }

  /** The layer's children in order of registration. */
  protected final Iterable<Layer> ownChildren() {
    return ownChildren.values();
  }

  private void walk(String prefix, BiConsumer<String, Layer> visitor) {
    visitor.accept(prefix, this);
    ownChildren.forEach((name, layer) -> layer.walk(prefix + name + ".", visitor));
  }

  /**
   * Lays the kernels of all convolutions out with their channels last, as CUDA's and many CPUs'
   * fast convolutions have them; what they compute from there on is laid out so, too. Values, names
   * and shapes stay.
   */
  public final void channelsLast() {
    try (NoGrad noGrad = NoGrad.open();
        StepScope scope = StepScope.open()) {
      for (Tensor parameter : namedParameters().values()) {
        if (parameter.dim() == 4) {
          parameter.set_data(parameter.contiguous(MemoryFormat.ChannelsLast));
        }
      }
    }
  }

  /** How many numbers all parameters hold, constant ones too. */
  public final long parameterCount() {
    return namedParameters().values().stream().mapToLong(Tensor::numel).sum();
  }

  /**
   * Copies values into the parameters and buffers of the same names, converting type and device.
   *
   * @param state names as in {@link #stateDict()}; its tensors are not kept
   * @param strict whether every name must be there, none may be left over, and all shapes must
   *     agree
   * @return what was skipped; nothing, if {@code strict}
   * @throws IllegalArgumentException if {@code strict} and something does not fit; it lists all
   *     that does not, and nothing has been copied
   */
  public final LoadReport loadStateDict(Map<String, Tensor> state, boolean strict) {
    LoadReport report = LoadReport.compare(stateDict(), state);
    if (strict) {
      report.checkComplete();
    }
    report.copyFitting(stateDict(), state);
    return report;
  }

  /**
   * Frees the memory of this layer and of all below it now; without this it waits for the garbage
   * collector. The tensors that {@link #stateDict()} gave out end with it.
   */
  @Override
  public void close() {
    ownChildren.values().forEach(Layer::close);
    owned.forEach(Pointer::close);
    owned.clear();
    super.close();
  }
}
