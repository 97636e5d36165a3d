/**
 * Data sets, the transforms of their images, and the loader that makes batches of them in a
 * reproducible order.
 *
 * <p>This room must not know a network, a loss or an optimizer: it gives images and labels. It may
 * use {@code runtime}.
 */
package org.repopt4j.data;
