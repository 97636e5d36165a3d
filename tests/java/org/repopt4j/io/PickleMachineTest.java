package org.repopt4j.io;

import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.repopt4j.io.HostileBytes.Pickle;

class PickleMachineTest extends HostileFiles {
  private static final long[] FOUR = {4};
  private static final long[] ONE = {1};

  private static Arguments pickle(String what, String sentence, Pickle pickle) {
    return Arguments.of(what, sentence, HostileBytes.pth(pickle));
  }

  private static Pickle p() {
    return new Pickle();
  }

  static Stream<Arguments> cases() {
    return Stream.of(
        pickle(
            "STACK_GLOBAL os.system",
            "names 'os.system'",
            Pickle.dict(
                p().text("x").text("os").text("system").op(0x93, '(').text("ls").op('t', 'R'))),
        pickle(
            "INST os.system",
            "opcode 0x69",
            p().op('(')
                .text("ls")
                .op('i')
                .raw("os\nsystem\n".getBytes(StandardCharsets.US_ASCII))
                .op('.')),
        pickle("OBJ", "opcode 0x6f", p().op('(').global("builtins", "dict").op('o', '.')),
        pickle("EXT1", "opcode 0x82", p().op(0x82, 1, '.')),
        pickle("NEXT_BUFFER", "opcode 0x97", p().op(0x97, '.')),
        pickle("text PERSID", "opcode 0x50", p().op('P', 'a', '\n', '.')),
        pickle(
            "calls a storage class",
            "not a function",
            p().global("torch", "FloatStorage").op(')', 'R', '.')),
        pickle("calls a type", "not a function", p().global("torch", "float32").op(')', 'R', '.')),
        pickle("calls text", "cannot be called", p().text("os.system").op(')', 'R', '.')),
        pickle(
            "calls the result of a harmless call",
            "cannot be called",
            p().global("argparse", "Namespace").op(')', 'R', ')', 'R', '.')),
        pickle(
            "NEWOBJ of a function",
            "not a class",
            p().global("torch._utils", "_rebuild_tensor_v2").op(')', 0x81, '.')),
        pickle(
            "BUILD on a tensor",
            "is given a state",
            p().op('}').text("w").tensor(0, FOUR, ONE).op('}', 'b', 's', '.')),
        pickle(
            "BUILD on a global", "is given a state", p().global("torch", "Size").op('}', 'b', '.')),
        pickle(
            "name longer than any",
            "too long",
            p().op('c').raw("a".repeat(5000).getBytes(StandardCharsets.US_ASCII))),
        pickle(
            "name with escape codes",
            "names '?[2Jos.x'",
            p().op('c').raw("\u001b[2Jos\nx\n".getBytes(StandardCharsets.US_ASCII)).op('.')),
        pickle("invalid UTF-8", "not valid UTF-8", p().op('X').i4(2).op(0xC0, 0x80, '.')),
        pickle(
            "surrogate in UTF-8", "not valid UTF-8", p().op('X').i4(3).op(0xED, 0xA0, 0x80, '.')),
        pickle(
            "dict that holds itself",
            "holds itself",
            p().op('}', 'q', 0).text("model").op('h', 0, 's', '.')),
        pickle(
            "good state dict beside a list that holds itself",
            "holds itself",
            Pickle.dict(p().text("x").op(']', 'q', 9, '(', 'h', 9, 'h', 9, 'e'))),
        pickle("list that holds itself", "holds itself", p().op(']', 'q', 0, 'h', 0, 'a', '.')),
        pickle(
            "tuples nested almost as deep",
            "nested more than",
            p().op('N').repeat(499_000, 0x85).op('.')),
        pickle(
            "lists nested half a million deep",
            "more than 500000 objects",
            p().repeat(500_001, ']').repeat(500_000, 'a').op('.')),
        pickle(
            "dicts nested ten thousand deep",
            "nested more than",
            p().repeat(10_000, '}', 'N').op('}').repeat(10_000, 's').op('.')),
        pickle("keys of one hash, of two types", "without tensors by name", colliding(100_000)),
        pickle("a million marks", "left over", p().repeat(1_000_000, '(').op('N', '.')),
        pickle("four million pushes", "steps", p().repeat(4_000_001, 'N').op('.')),
        pickle(
            "four million memos",
            "steps",
            p().op('N').repeat(2_000_001, 'q', 1, 'r', 1, 0, 0, 0).op('.')),
        pickle("laughs a billion times", "without tensors by name", laughs()),
        pickle("empty pickle", "where 0 are left", new Pickle("")),
        pickle("memo never set", "never set", p().op('h', 7, '.')),
        pickle("stack underflow", "stack is empty", p().op('0', '.')),
        pickle("reaches below the mark", "stack is empty", p().op('N', '(', 0x85, '.')),
        pickle("no mark", "no mark", p().op('t', '.')),
        pickle("no STOP", "where 0 are left", p().op('}')),
        pickle("nothing at STOP", "stack is empty", p().op('.')),
        pickle("something after STOP", "left over", p().op('}', '.', '}')),
        pickle("two values at STOP", "left over", p().op('}', '}', '.')),
        pickle("protocol 0", "protocol 2 to 5", new Pickle("(dp0\n.")),
        pickle("protocol 6", "protocol 2 to 5", new Pickle("\u0080\u0006}.")),
        pickle("odd SETITEMS", "in pairs", p().op('}', '(', 'N', 'u', '.')),
        pickle("items into a number", "are added to a int", p().op('K', 1, 'N', 'a', '.')),
        pickle(
            "OrderedDict of a number",
            "list of pairs",
            p().global("collections", "OrderedDict").op('K', 1, 0x85, 'R', '.')),
        pickle(
            "one tensor's name twice",
            "the key 'w' twice",
            Pickle.dict(p().text("w").tensor(0, FOUR, ONE))),
        pickle(
            "a tensor under a number",
            "must be text",
            Pickle.dict(p().op('K', 1).tensor(0, FOUR, ONE))));
  }

  // Whole numbers and doubles of the same bits have the same hash, and no order among each other.
  private static Pickle colliding(int pairs) {
    Pickle pickle = p().op('}', '(');
    for (long i = 1; i <= pairs; i++) {
      long bits = i << 32 | i;
      pickle.number(bits).op('N');
      pickle.op('G').i8(Long.reverseBytes(bits)).op('N');
    }
    return pickle.op('u', '.');
  }

  // Each list holds the one before ten times; the last one is all that is left.
  private static Pickle laughs() {
    Pickle pickle = p().op(']', 'q', 0, '0');
    for (int i = 0; i < 200; i++) {
      pickle.op(']', '(').repeat(10, 'h', i).op('e', 'q', i + 1, '0');
    }
    return pickle.op('h', 200, '.');
  }
}
