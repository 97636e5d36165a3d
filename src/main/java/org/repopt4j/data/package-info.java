/**
 * Data sets, the transforms of their images, and the loader that makes batches of them in a
 * reproducible order.
 *
 * <p>The walk of an image: a {@link org.repopt4j.data.Split} of {@link
 * org.repopt4j.data.ImageDataSet}s is opened by name ({@link org.repopt4j.data.DataSets}); a {@link
 * org.repopt4j.data.BatchLoader} orders the samples of an {@link org.repopt4j.data.Epoch}, lets the
 * {@link org.repopt4j.data.Augmentation} crop and flip their bytes and the {@link
 * org.repopt4j.data.Normalization} turn them into float32, and hands out {@link
 * org.repopt4j.data.Batch}es. Every random decision is a pure function of seed, epoch and sample,
 * so that nothing depends on threads and any batch of any epoch can be made again.
 *
 * <p>This room must not know a network, a loss or an optimizer: it gives images and labels. It may
 * use {@code runtime}.
 */
package org.repopt4j.data;
