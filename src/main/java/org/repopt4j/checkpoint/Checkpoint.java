package org.repopt4j.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Everything that a run needs to go on, at one step.
 *
 * <p><b>The format.</b> A checkpoint is a folder {@code step-N}, N being the step in twelve digits
 * or more. Where step N or a later one is there already, because the run went back or stopped, its
 * name is {@code step-N-2}, and so is that of those that follow, until the next time, {@code
 * step-N-3}: the newest has the highest number at the end, and among those the highest step. It
 * holds
 *
 * <ul>
 *   <li>for each group of tensors one file {@code GROUP.safetensors} (names of lower-case letters);
 *   <li>{@code manifest.json}: an object in UTF-8 with {@code format} (the text {@code "repopt4j
 *       checkpoint"}), <code>version</code> (1), {@code step} (an integer), {@code values}, {@code
 *       configuration} and {@code versions} (objects of texts; a float64 is written so that it
 *       comes back bit for bit), and {@code files} (for each file {@code bytes} and {@code sha256},
 *       in lower-case hexadecimal digits);
 *   <li>{@code manifest.sha256}: the SHA-256 of {@code manifest.json} in lower-case hexadecimal
 *       digits.
 * </ul>
 *
 * <p><b>What a training run writes.</b> The groups {@code model} (parameters and buffers), {@code
 * optimizer} (momentum or moments), {@code ema} where a moving average is kept, and {@code random}
 * (states of libtorch's generators, {@code cpu} and {@code cuda}). The values
 *
 * <ul>
 *   <li>{@code epoch}, {@code next_batch} (its place in the epoch's order; the order and all that
 *       Java draws follow from seed, epoch and place), {@code batches}, {@code updates} and {@code
 *       last_update} (of all epochs), {@code skipped} ({@code EPOCH/BATCH}, those passed over);
 *   <li>{@code lr}, {@code optimizer_rule}, {@code optimizer_lr}, {@code steps of PARAMETER};
 *   <li>{@code grad_scale} and {@code grad_scale_good_steps} (steps since it changed), in float16
 *       only; where they are missing, the scale begins anew;
 *   <li>{@code sums}, {@code images}, {@code seconds} of the epoch so far, {@code row N} (of the
 *       summary), {@code best_top1}, {@code best_ema_top1}.
 * </ul>
 *
 * <p><b>How it is written.</b> Into a folder {@code .writing-…} beside; each file is forced to the
 * disk, then the folder; then it is given its name, and the folder that holds all checkpoints is
 * forced. Whatever moment a crash comes at, a folder {@code step-N} is whole or its damage can be
 * seen. An old one is deleted under a name {@code .writing-…}, too. It is believed only if the
 * manifest and every file have the hashes that are written down and no file is missing. What is
 * found under {@code .writing-…} at the next start is rubbish.
 *
 * @param step how far the run is
 * @param values what the run says about itself, as text
 * @param configuration the settings under which it runs
 * @param versions of what it runs on
 * @param tensors by group and name; whoever made or read it closes it
 */
public record Checkpoint(
    long step,
    Map<String, String> values,
    Map<String, String> configuration,
    Map<String, String> versions,
    Map<String, Map<String, Tensor>> tensors)
    implements AutoCloseable {

  /** Keeps the maps' order. */
  public Checkpoint {
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    configuration = Collections.unmodifiableMap(new LinkedHashMap<>(configuration));
    versions = Collections.unmodifiableMap(new LinkedHashMap<>(versions));
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
  }

  /** Frees the tensors. */
  @Override
  public void close() {
    tensors.values().forEach(group -> group.values().forEach(Tensor::close));
  }
}
