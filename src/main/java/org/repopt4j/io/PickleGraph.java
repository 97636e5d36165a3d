package org.repopt4j.io;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Iterator;

/** Checks that what a pickle describes is a finite tree of sane depth. */
final class PickleGraph {
  private static final int DEEPEST = 1000;
  private static final int OPEN = -1;

  private PickleGraph() {}

  private static final class Frame {
    final PickleValue value;
    final Iterator<Object> children;
    int height;

    Frame(PickleValue value) {
      this.value = value;
      this.children = value.children().iterator();
    }
  }

  /** Refuses values that hold themselves or are nested more than a thousand deep. */
  static void check(Path file, Object root) throws InvalidFileException {
    if (!(root instanceof PickleValue top)) {
      return;
    }
    // Depth first with a stack of its own; what is shared is walked once.
    IdentityHashMap<PickleValue, Integer> heights = new IdentityHashMap<>();
    Deque<Frame> path = new ArrayDeque<>();
    heights.put(top, OPEN);
    path.push(new Frame(top));
    while (!path.isEmpty()) {
      Frame frame = path.peek();
      if (!frame.children.hasNext()) {
        path.pop();
        heights.put(frame.value, frame.height);
        if (!path.isEmpty()) {
          raise(file, path.peek(), frame.height);
        }
      } else if (frame.children.next() instanceof PickleValue child) {
        Integer height = heights.get(child);
        if (height == null) {
          heights.put(child, OPEN);
          path.push(new Frame(child));
        } else if (height == OPEN) {
          throw new InvalidFileException(
              file, "its data.pkl describes a " + child.kind() + " that holds itself");
        } else {
          raise(file, frame, height);
        }
      }
    }
  }

  private static void raise(Path file, Frame frame, int childHeight) throws InvalidFileException {
    frame.height = Math.max(frame.height, childHeight + 1);
    if (frame.height > DEEPEST) {
      throw new InvalidFileException(file, "its data.pkl is nested more than " + DEEPEST + " deep");
    }
  }
}
