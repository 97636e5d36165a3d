/**
 * Checkpoints: named tensors and named texts that are on the disk as a whole or not at all, written
 * beside the work they are taken from, verified before they are believed.
 *
 * <p>This room must not know what the tensors mean: no network, no optimizer, no training loop. It
 * may use {@code io} for the files and {@code runtime} for tensors. {@link
 * org.repopt4j.checkpoint.Checkpoint} is the format's specification; {@link
 * org.repopt4j.checkpoint.CheckpointStorage} is all that it asks of a disk, so that tests can put a
 * failing one in its place.
 */
package org.repopt4j.checkpoint;
