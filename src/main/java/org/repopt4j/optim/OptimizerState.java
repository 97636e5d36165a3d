package org.repopt4j.optim;

import static com.google.common.base.Preconditions.checkNotNull;

import com.google.common.collect.ImmutableMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.UpdateRule;

/**
 * All that an optimizer remembers from one step to the next, as names, tensors and numbers that can
 * be put into a file. With it, and with equal parameters and gradients, another optimizer of the
 * same groups and hyper-parameters goes on bit for bit.
 *
 * <p>Hyper-parameters are not part of it: they are the configuration's. A parameter that never had
 * a gradient has no tensors and no steps here.
 *
 * @param rule the update that the tensors belong to: the moments of {@link
 *     UpdateRule#ADAMW_OFFICIAL} are those of multiplied gradients, those of {@link
 *     UpdateRule#ADAMW_EXACT} are not
 * @param learningRate the rate that the last step used
 * @param steps AdamW: how many updates a parameter has had, by the parameter's name; SGD: empty
 * @param tensors by the parameter's name, a dot, and one of {@code momentum_buffer}, {@code
 *     exp_avg}, {@code exp_avg_sq}, {@code max_exp_avg_sq}: each of its parameter's shape and type
 */
public record OptimizerState(
    UpdateRule rule, double learningRate, Map<String, Long> steps, Map<String, Tensor> tensors) {

  /** Copies the maps, not the tensors; their order is kept. */
  public OptimizerState {
    checkNotNull(rule, "rule");
    Checks.notNegative("learning rate", learningRate);
    steps = ImmutableMap.copyOf(steps);
    tensors = ImmutableMap.copyOf(tensors);
  }
}
