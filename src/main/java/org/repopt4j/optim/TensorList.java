package org.repopt4j.optim;

import static org.repopt4j.runtime.Operators.value;

import java.util.List;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Operators;

/**
 * Tensors that are computed with together, through libtorch's {@code _foreach_} operators. As in
 * libtorch, a trailing underscore marks what changes the tensors themselves.
 */
final class TensorList {
  private final IValue tensors;

  private TensorList(IValue tensors) {
    this.tensors = tensors;
  }

  static TensorList of(List<Tensor> tensors) {
    return new TensorList(Operators.list(tensors));
  }

  TensorList mul(TensorList other) {
    return result("mul", "List", other.tensors);
  }

  TensorList mul_(double factor) {
    return change("mul_", "Scalar", value(factor));
  }

  TensorList div_(double divisor) {
    return change("div_", "Scalar", value(divisor));
  }

  TensorList add(TensorList other, double alpha) {
    return result("add", "List", other.tensors, value(alpha));
  }

  TensorList add_(TensorList other, double alpha) {
    return change("add_", "List", other.tensors, value(alpha));
  }

  TensorList add_(double term) {
    return change("add_", "Scalar", value(term));
  }

  TensorList addcmul_(TensorList first, TensorList second, double value) {
    return change("addcmul_", "Scalar", first.tensors, second.tensors, value(value));
  }

  TensorList addcdiv_(TensorList numerator, TensorList denominator, double value) {
    return change("addcdiv_", "Scalar", numerator.tensors, denominator.tensors, value(value));
  }

  TensorList maximum_(TensorList other) {
    return change("maximum_", "List", other.tensors);
  }

  TensorList copy_(TensorList other) {
    return change("copy_", "", other.tensors, value(false));
  }

  TensorList neg() {
    return result("neg", "");
  }

  TensorList sqrt() {
    return result("sqrt", "");
  }

  private TensorList result(String operator, String overload, IValue... rest) {
    return new TensorList(Operators.result("aten::_foreach_" + operator, overload, withSelf(rest)));
  }

  private TensorList change(String operator, String overload, IValue... rest) {
    Operators.call("aten::_foreach_" + operator, overload, withSelf(rest));
    return this;
  }

  private IValue[] withSelf(IValue[] rest) {
    IValue[] all = new IValue[rest.length + 1];
    all[0] = tensors;
    System.arraycopy(rest, 0, all, 1, rest.length);
    return all;
  }
}
