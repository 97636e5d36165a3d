package org.repopt4j.io;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * What a file of tensors held. The tensors are on the CPU, contiguous, and each owns its memory
 * (but for those of {@link StateDicts#map}); they outlive every {@link
 * org.repopt4j.runtime.StepScope} and are freed by {@link #close} or, at the latest, by the garbage
 * collector.
 *
 * @param tensors by name, in the file's order; unmodifiable
 * @param metadata text that came with them, in the file's order; unmodifiable
 * @param skipped what else the file held and was passed over (an optimizer's state, a
 *     configuration), each as {@code name (kind)}
 */
public record TensorFile(
    Map<String, Tensor> tensors, Map<String, String> metadata, List<String> skipped)
    implements AutoCloseable {

  /** Keeps the order of the arguments. */
  public TensorFile {
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    skipped = List.copyOf(skipped);
  }

  /**
   * The tensor of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public Tensor tensor(String name) {
    Tensor tensor = tensors.get(name);
    checkArgument(
        tensor != null, "there is no tensor '%s' among the %s of the file", name, tensors.size());
    return tensor;
  }

  /** Frees the memory of the tensors; they must not be used any more. */
  @Override
  public void close() {
    tensors.values().forEach(Tensor::close);
  }
}
