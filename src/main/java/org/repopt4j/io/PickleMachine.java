package org.repopt4j.io;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.repopt4j.io.PickleValue.Dict;
import org.repopt4j.io.PickleValue.Items;
import org.repopt4j.io.PickleValue.Opaque;
import org.repopt4j.io.PickleValue.Tuple;

/**
 * A machine for the pickles in {@code .pth} files, protocols 2 to 5 (opcodes as in Python's {@code
 * pickletools}), and for nothing else.
 *
 * <p>It is our own because a general unpickler is built to make objects of classes that the file
 * names and to call their methods. This one can only make the values of {@link PickleValue}: names
 * are looked up in {@link PickleGlobal}, and {@link PickleCalls} is all that REDUCE, NEWOBJ and
 * BUILD can do. Opcodes that these files never hold (the text ones of protocol 0, INST, OBJ, the
 * extension registry, out-of-band buffers) are refused. Lengths are compared with what is left;
 * what is made is counted ({@link PickleBudget}), so that no file can fill the heap; nothing
 * recurses.
 */
final class PickleMachine {
  private static final Opaque NONE = new Opaque("None");
  private static final Opaque BYTES = new Opaque("bytes");

  private final PickleBytes in;
  private final List<Object> stack = new ArrayList<>();
  private final Deque<Integer> marks = new ArrayDeque<>();
  private final Map<Long, Object> memo = new HashMap<>();
  private final PickleBudget budget;

  private PickleMachine(PickleBytes in) {
    this.in = in;
    this.budget = new PickleBudget(in);
  }

  /** The value that the pickle describes. */
  static Object read(PickleBytes in) throws InvalidFileException {
    return new PickleMachine(in).run();
  }

  private Object run() throws InvalidFileException {
    int protocol = in.u1() == 0x80 ? in.u1() : 0;
    if (protocol < 2 || protocol > 5) {
      throw in.refuse("it must be a pickle of protocol 2 to 5");
    }
    for (int opcode = in.u1(); opcode != '.'; opcode = in.u1()) {
      if (!literal(opcode) && !container(opcode)) {
        other(opcode);
      }
    }
    Object result = pop();
    if (!in.isAtEnd() || !stack.isEmpty() || !marks.isEmpty()) {
      throw in.refuse("something is left over after its end");
    }
    return result;
  }

  private boolean literal(int opcode) throws InvalidFileException {
    switch (opcode) {
      case 'N' -> push(NONE);
      case 0x88 -> push(true);
      case 0x89 -> push(false);
      case 'J' -> pushNumber((long) in.i4());
      case 'K' -> pushNumber((long) in.u1());
      case 'M' -> pushNumber((long) in.u2());
      case 0x8a -> pushLong(in.u1()); // LONG1
      case 0x8b -> pushLong(in.u4()); // LONG4
      case 'G' -> pushNumber(in.bigEndianDouble());
      case 'X' -> pushText(in.u4());
      case 0x8c -> pushText(in.u1()); // SHORT_BINUNICODE
      case 0x8d -> pushText(in.i8()); // BINUNICODE8
      case 'U', 'C' -> pushBytes(in.u1());
      case 'T', 'B' -> pushBytes(in.u4());
      case 0x8e, 0x96 -> pushBytes(in.i8()); // BINBYTES8, BYTEARRAY8
      default -> {
        return false;
      }
    }
    return true;
  }

  private boolean container(int opcode) throws InvalidFileException {
    switch (opcode) {
      case ')' -> pushContainer(new Tuple(List.of()));
      case 0x85 -> pushContainer(new Tuple(popLast(1)));
      case 0x86 -> pushContainer(new Tuple(popLast(2)));
      case 0x87 -> pushContainer(new Tuple(popLast(3)));
      case 't' -> tuple(popToMark());
      case ']', 0x8f -> pushContainer(new Items()); // EMPTY_LIST, EMPTY_SET
      case 'l', 0x91 -> append(popToMark(), pushContainer(new Items())); // LIST, FROZENSET
      case '}' -> pushContainer(new Dict());
      case 'd' -> setItems(popToMark(), pushContainer(new Dict()));
      case 'a' -> append(popLast(1), top());
      case 'e', 0x90 -> append(popToMark(), top()); // APPENDS, ADDITEMS
      case 's' -> setItems(popLast(2), top());
      case 'u' -> setItems(popToMark(), top());
      default -> {
        return false;
      }
    }
    return true;
  }

  private void other(int opcode) throws InvalidFileException {
    switch (opcode) {
      case 0x95 -> in.need(in.i8()); // FRAME
      case '(' -> mark();
      case '0' -> pop();
      case '1' -> popToMark();
      case '2' -> push(top());
      case 'h' -> push(remembered(in.u1()));
      case 'j' -> push(remembered(in.u4()));
      case 'q' -> remember(in.u1());
      case 'r' -> remember(in.u4());
      case 0x94 -> remember(memo.size()); // MEMOIZE
      case 'c' -> push(PickleGlobal.of(in, in.line(), in.line()));
      case 0x93 -> stackGlobal();
      case 'Q' -> pushContainer(PickleCalls.persistent(in, pop()));
      case 'R' -> call(popLast(2), false);
      case 0x81 -> call(popLast(2), true); // NEWOBJ
      case 0x92 -> call(popLast(3), true); // NEWOBJ_EX
      case 'b' -> PickleCalls.build(in, popLast(1).get(0), top());
      default ->
          throw in.refuse(
              String.format("the opcode 0x%02x does not occur in PyTorch's files", opcode));
    }
  }

  private void stackGlobal() throws InvalidFileException {
    List<Object> names = popLast(2);
    if (names.get(0) instanceof String module && names.get(1) instanceof String name) {
      push(PickleGlobal.of(in, module, name));
    } else {
      throw in.refuse("a global is named by something that is not text");
    }
  }

  private void call(List<Object> calleeAndArguments, boolean asClass) throws InvalidFileException {
    Object made =
        PickleCalls.call(in, calleeAndArguments.get(0), calleeAndArguments.get(1), asClass);
    budget.made(made);
    pushContainer(made);
  }

  private void tuple(List<Object> values) throws InvalidFileException {
    budget.items(values.size());
    pushContainer(new Tuple(values));
  }

  private void append(List<Object> values, Object target) throws InvalidFileException {
    if (target instanceof Items list) {
      budget.items(values.size());
      list.items.addAll(values);
    } else if (!(target instanceof Opaque)) {
      throw in.refuse("items are added to a " + PickleValue.kindOf(target));
    }
  }

  private void setItems(List<Object> keysAndValues, Object target) throws InvalidFileException {
    if (target instanceof Opaque) {
      return;
    }
    if (!(target instanceof Dict dict) || keysAndValues.size() % 2 != 0) {
      throw in.refuse("keys and values are not in pairs, or not for a dict");
    }
    budget.entries(keysAndValues.size() / 2);
    for (int i = 0; i < keysAndValues.size(); i += 2) {
      PickleCalls.put(in, dict, keysAndValues.get(i), keysAndValues.get(i + 1));
    }
  }

  private void pushBytes(long length) throws InvalidFileException {
    in.skip(length);
    push(BYTES);
  }

  private void pushText(long length) throws InvalidFileException {
    String text = in.text(length);
    budget.text(text);
    push(text);
  }

  private void pushNumber(Number number) throws InvalidFileException {
    budget.number();
    push(number);
  }

  private void pushLong(long length) throws InvalidFileException {
    if (length >= 0 && length <= 8) {
      pushNumber(in.number((int) length));
    } else {
      in.skip(length);
      pushContainer(new Opaque("int"));
    }
  }

  private <T> T pushContainer(T value) throws InvalidFileException {
    budget.object();
    push(value);
    return value;
  }

  private void push(Object value) throws InvalidFileException {
    budget.step();
    stack.add(value);
  }

  private void mark() throws InvalidFileException {
    budget.step();
    marks.push(stack.size());
  }

  private void remember(long index) throws InvalidFileException {
    budget.step();
    if (memo.put(index, top()) == null) {
      budget.memo();
    }
  }

  private Object remembered(long index) throws InvalidFileException {
    Object value = memo.get(index);
    if (value == null) {
      throw in.refuse("it refers to memo " + index + ", which was never set");
    }
    return value;
  }

  private Object top() throws InvalidFileException {
    needLast(1);
    return stack.get(stack.size() - 1);
  }

  private Object pop() throws InvalidFileException {
    needLast(1);
    return stack.remove(stack.size() - 1);
  }

  private List<Object> popLast(int count) throws InvalidFileException {
    needLast(count);
    return popFrom(stack.size() - count);
  }

  private List<Object> popToMark() throws InvalidFileException {
    if (marks.isEmpty()) {
      throw in.refuse("its stack has no mark");
    }
    return popFrom(marks.pop());
  }

  private List<Object> popFrom(int start) {
    List<Object> tail = stack.subList(start, stack.size());
    List<Object> values = new ArrayList<>(tail);
    tail.clear();
    return values;
  }

  private void needLast(int count) throws InvalidFileException {
    int floor = marks.isEmpty() ? 0 : marks.peek();
    if (stack.size() - count < floor) {
      throw in.refuse("its stack is empty where a value is needed");
    }
  }
}
