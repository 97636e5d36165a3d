/**
 * RepOptimizers: SGD and AdamW whose gradients meet a Grad Mult before weight decay, momentum and
 * learning rate, with parameter groups, explicit state, and the learning-rate schedules of the
 * official training script.
 *
 * <p>A parameter without a Grad Mult behaves as in {@code torch.optim}. This room must not know
 * where a Grad Mult comes from (a network, a file), what a loss is, or how long training lasts. It
 * may use {@code nn}, {@code csla} and {@code runtime}.
 */
package org.repopt4j.optim;
