/**
 * The training loop, evaluation, the moving average of the weights, and the folder that a run
 * leaves.
 *
 * <p>A run begins as one validated {@link org.repopt4j.train.TrainConfig} and sees a network, an
 * optimizer and a loader. Scales, Grad Mults and file formats are none of its business beyond
 * handing them on. It must not print: what happens is told to a {@link
 * org.repopt4j.train.TrainListener}.
 */
package org.repopt4j.train;
