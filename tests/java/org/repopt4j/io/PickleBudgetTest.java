package org.repopt4j.io;

import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.repopt4j.io.HostileBytes.Pickle;

/** Short pickles that would fill the heap; {@code hostile_files.py} has them for a small one. */
class PickleBudgetTest extends HostileFiles {
  private static Arguments pickle(String what, String sentence, Pickle pickle) {
    return Arguments.of(what, sentence, HostileBytes.pth(pickle));
  }

  private static Pickle p() {
    return new Pickle();
  }

  static Stream<Arguments> cases() {
    long[] ones = new long[64];
    Arrays.fill(ones, 1);
    return Stream.of(
        pickle("memos without end", "MiB of memory", p().op('N').repeat(3_000_000, 0x94).op('.')),
        pickle("memos of far numbers", "MiB of memory", farMemos()),
        pickle(
            "texts of one letter",
            "MiB of memory",
            p().op(']', '(').repeat(3_000_000, 0x8c, 1, 'a').op('e', '.')),
        pickle("one list of pairs made a dict again and again", "MiB of memory", dictsOfOneList()),
        pickle(
            "one set of arguments made a tensor again and again",
            "MiB of memory",
            p().global("torch._utils", "_rebuild_tensor_v2")
                .op('q', 0, '(')
                .storage("FloatStorage", "0", 4)
                .number(0)
                .tuple(ones)
                .tuple(ones)
                .op(0x89, 'N', 't', 'q', 1)
                .repeat(400_000, 'h', 0, 'h', 1, 'R')
                .op('.')),
        pickle(
            "sizes without end",
            "at most 64",
            p().op('}')
                .text("w")
                .tensor(0, new long[1_000_000], new long[1_000_000])
                .op('s', '.')));
  }

  private static Pickle farMemos() {
    Pickle pickle = p().op('N');
    for (int i = 0; i < 3_000_000; i++) {
      pickle.op('r').i4(-1 - i);
    }
    return pickle.op('.');
  }

  // Four bytes for a thousand entries.
  private static Pickle dictsOfOneList() {
    Pickle pickle = p().global("collections", "OrderedDict").op('q', 0, '(', ']', '(');
    for (int i = 0; i < 1000; i++) {
      pickle.op('J').i4(i).op('N', 0x86);
    }
    return pickle.op('e', 't', 'q', 1).repeat(100_000, 'h', 0, 'h', 1, 'R').op('.');
  }
}
