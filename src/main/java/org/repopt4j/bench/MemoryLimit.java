package org.repopt4j.bench;

import java.util.List;

/**
 * How fast this machine can read and write what an update must read and write, with next to no
 * arithmetic: the time that no update can beat. It has its own memory, as much as the update's.
 */
interface MemoryLimit extends AutoCloseable {
  /** What carries it out, for the report. */
  String means();

  /**
   * Two works: the bytes of a step that has a mask as large as the weights, and those of a step
   * without.
   */
  List<Work> works();

  /** Frees the memory. */
  @Override
  void close();
}
