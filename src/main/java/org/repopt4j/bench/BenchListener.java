package org.repopt4j.bench;

/** Whoever wants to know how far a measurement is. Called between runs, so it should be quick. */
@FunctionalInterface
public interface BenchListener {
  /** The settings hold on this machine, and the measurement begins. */
  default void started(BenchSettings settings, String device) {}

  /**
   * Some rounds of a phase are done.
   *
   * @param phase for example {@code warm-up}
   * @param done rounds done
   * @param all rounds of this phase
   */
  void progress(String phase, int done, int all);
}
