/**
 * The networks as Java modules, with the official parameter names, shapes and initial values:
 * RepOpt-VGG and RepOpt-GhostNet in their four modes, the catalog of architectures, the scales that
 * fit them, and the folding of a trained network into plain convolutions.
 *
 * <p>This room knows where in a network a CSLA block stands, so it carries out the rule of
 * initialization once and hands out the Grad Mults once. It must not know an optimizer, a data set,
 * a file or a training loop. It may use {@code csla} and {@code runtime}.
 */
package org.repopt4j.nn;
