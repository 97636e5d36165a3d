package org.repopt4j.io;

/**
 * What a pickle may cost: steps, because each takes time, and objects and bytes, because each is
 * kept until the end. Whatever the opcodes are, a file that asks for more is refused long before
 * the heap of a small service is full. A state dict of 50,000 tensors costs two thirds of it.
 */
final class PickleBudget {
  private static final int MOST_STEPS = 4_000_000;
  private static final int MOST_OBJECTS = 500_000;
  private static final long MOST_BYTES = 128L << 20;

  // About what a 64-bit Java machine takes, with the references to it.
  private static final int OBJECT = 80;
  private static final int ITEM = 8;
  private static final int ENTRY = 96;
  private static final int TEXT = 60;
  private static final int NUMBER = 24;
  private static final int MEMO = 64;

  private final PickleBytes in;
  private int steps;
  private int objects;
  private long bytes;

  PickleBudget(PickleBytes in) {
    this.in = in;
  }

  void step() throws InvalidFileException {
    if (++steps > MOST_STEPS) {
      throw in.refuse("it takes more than " + MOST_STEPS + " steps");
    }
  }

  /** What a call made, if it holds more than the call's arguments did. */
  void made(Object value) throws InvalidFileException {
    if (value instanceof PickleValue.Dict dict) {
      entries(dict.map.size());
    } else if (value instanceof PickleValue.View view) {
      items(view.shape.length + view.strides.length);
    }
  }

  /** A container or an instance. */
  void object() throws InvalidFileException {
    if (++objects > MOST_OBJECTS) {
      throw in.refuse("it makes more than " + MOST_OBJECTS + " objects");
    }
    spend(OBJECT);
  }

  /** Values that are put into a container. */
  void items(int count) throws InvalidFileException {
    spend((long) ITEM * count);
  }

  /** Keys with values that are put into a dict. */
  void entries(int count) throws InvalidFileException {
    spend((long) ENTRY * count);
  }

  void text(String text) throws InvalidFileException {
    spend(TEXT + 2L * text.length());
  }

  void number() throws InvalidFileException {
    spend(NUMBER);
  }

  void memo() throws InvalidFileException {
    spend(MEMO);
  }

  private void spend(long more) throws InvalidFileException {
    bytes += more;
    if (bytes > MOST_BYTES) {
      throw in.refuse("its values would take more than " + (MOST_BYTES >> 20) + " MiB of memory");
    }
  }
}
