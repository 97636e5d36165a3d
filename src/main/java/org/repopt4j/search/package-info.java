/**
 * Hyper-search (paper, section 3.2): training a network whose scales are trainable on a small data
 * set, and the scales that it yields, as a file with its provenance and a summary that people can
 * read.
 *
 * <p>This room knows what a scale is for and where it rests. It leaves the training itself to
 * {@code train} and the network to {@code nn}, and must not know the command line.
 */
package org.repopt4j.search;
