/**
 * Measurements on synthetic data: whole training and inference steps, and an optimizer's step
 * beside the time in which this machine can read and write as many bytes at all.
 *
 * <p>A measurement begins as one validated {@link org.repopt4j.bench.BenchSettings} and ends as a
 * {@link org.repopt4j.bench.BenchReport} of numbers; nothing is judged here and nothing is printed.
 * What is compared is timed in turns, so that a disturbance meets all of it alike. It may use every
 * room that trains and must not change how any of them computes.
 */
package org.repopt4j.bench;
