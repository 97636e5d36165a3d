package org.repopt4j.runtime;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.ListType;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Tensor;

/**
 * Calls of libtorch operators that the presets do not bind (the multi-tensor {@code _foreach_*} and
 * {@code _fused_*} families), by name through the dispatcher. One call costs some microseconds, so
 * it pays for work on many tensors at once.
 */
public final class Operators {
  private static final Map<String, Operator> OPERATORS = new ConcurrentHashMap<>();

  private record Operator(OperatorHandle handle, long arguments) {
    static Operator find(String name, String overload) {
      Natives.load();
      try (StepScope scope = StepScope.open()) {
        OperatorHandle handle = Dispatcher.singleton().findSchemaOrThrow(name, overload);
        return new Operator(Retained.retain(handle), handle.schema().arguments().limit());
      }
    }
  }

  private Operators() {}

  /**
   * Calls an operator for its effect on its arguments.
   *
   * @param name for example {@code aten::_foreach_mul_}
   * @param overload for example {@code List}; empty for the one without a name
   * @param arguments each made by {@link #list}, {@link #value} or {@link #none}; all of the
   *     schema's, defaults included
   * @throws IllegalArgumentException if the number of arguments is not the schema's
   * @throws RuntimeException as libtorch throws, if there is no such operator or if an argument has
   *     a wrong type or value
   */
  public static void call(String name, String overload, IValue... arguments) {
    try (StepScope scope = StepScope.open()) {
      invoke(name, overload, new IValueVector(arguments));
    }
  }

  /**
   * Calls an operator for its one result, which may be an argument of the next call.
   *
   * @param name for example {@code aten::_foreach_mul}
   * @param overload for example {@code List}; empty for the one without a name
   * @param arguments as in {@link #call}
   * @throws IllegalArgumentException if the number of arguments is not the schema's
   * @throws RuntimeException as libtorch throws, if the arguments do not fit
   */
  public static IValue result(String name, String overload, IValue... arguments) {
    try (IValueVector stack = new IValueVector(arguments)) {
      invoke(name, overload, stack);
      return new IValue(stack.get(stack.size() - 1));
    }
  }

  private static void invoke(String name, String overload, IValueVector stack) {
    String key = overload.isEmpty() ? name : name + "." + overload;
    Operator operator = OPERATORS.computeIfAbsent(key, k -> Operator.find(name, overload));
    // The native call pops as many values as the schema has, whether they are there or not.
    checkArgument(
        stack.size() == operator.arguments,
        "%s takes %s arguments, got: %s",
        key,
        operator.arguments,
        stack.size());
    operator.handle.callBoxed(stack);
  }

  /**
   * A list of tensors as an argument. It may be used in many calls; to outlive the open {@link
   * StepScope} it must be {@link Retained}.
   */
  public static IValue list(List<Tensor> tensors) {
    try (StepScope scope = StepScope.open()) {
      GenericList list = new GenericList(ListType.ofTensors().getElementType());
      list.reserve(tensors.size());
      for (Tensor tensor : tensors) {
        list.push_back(new IValue(tensor));
      }
      return scope.keep(new IValue(list));
    }
  }

  /** A floating-point number as an argument. */
  public static IValue value(double value) {
    return new IValue(value);
  }

  /** A tensor as an argument. */
  public static IValue value(Tensor tensor) {
    return new IValue(tensor);
  }

  /** A truth value as an argument. */
  public static IValue value(boolean value) {
    return new IValue(value);
  }

  /** The absent value of an optional argument. */
  public static IValue none() {
    return new IValue();
  }
}
