package org.repopt4j.bench;

/** Something whose time is taken again and again. */
interface Work {
  /** What it is called in the report. */
  String name();

  /** Images that one run deals with; 0 where there are none. */
  default long images() {
    return 0;
  }

  /** Bytes that one run must read and write at least; 0 where nobody knows. */
  default long bytes() {
    return 0;
  }

  /** One run, after which the device has nothing left to do. */
  void run();

  /**
   * How many native objects the last run held when it was about to end; -1 where nobody counted.
   */
  default long handles() {
    return -1;
  }
}
