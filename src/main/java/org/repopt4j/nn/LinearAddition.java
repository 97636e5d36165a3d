package org.repopt4j.nn;

import static com.google.common.base.Preconditions.checkState;

import com.google.common.collect.ImmutableList;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.KernelShape;

/**
 * The linear part of a block, whatever the mode: branches, each a convolution or the identity with
 * a scale or a BN behind it, their sum, and perhaps a BN behind the sum. The layers are registered
 * by the layer that they belong to; this only knows how they work together, and how they fold into
 * one convolution.
 */
final class LinearAddition {
  /** One branch; without a convolution it is the identity, {@code after} may be absent. */
  private record Term(Conv2d conv, Layer after) {
    Tensor forward(Tensor input) {
      Tensor output = conv == null ? input : conv.forward(input);
      return after == null ? output : after.forward(output);
    }
  }

  private final ImmutableList<Term> terms;
  private final BatchNorm2d norm;

  private LinearAddition(ImmutableList<Term> terms, BatchNorm2d norm) {
    this.terms = terms;
    this.norm = norm;
  }

  /** One convolution alone; its BN is added by {@link #norm}. */
  static LinearAddition of(Conv2d conv) {
    return of(conv, null);
  }

  /** The first branch. */
  static LinearAddition of(Conv2d conv, Layer after) {
    return new LinearAddition(ImmutableList.of(new Term(conv, after)), null);
  }

  /**
   * A convolution and its BN, registered with a layer; in {@link Mode#DEPLOY} a convolution with
   * bias alone.
   */
  static LinearAddition convBn(
      Layer owner, String convName, String normName, KernelShape shape, Mode mode) {
    if (mode == Mode.DEPLOY) {
      return of(owner.child(convName, new Conv2d(shape, /* bias= */ true)));
    }
    return of(owner.child(convName, new Conv2d(shape, /* bias= */ false)))
        .norm(owner.child(normName, new BatchNorm2d(shape.out())));
  }

  /** Adds a branch that is a convolution. */
  LinearAddition plus(Conv2d conv, Layer after) {
    return with(new Term(conv, after));
  }

  /** Adds the identity. */
  LinearAddition plusIdentity(Layer after) {
    return with(new Term(null, after));
  }

  private LinearAddition with(Term term) {
    return new LinearAddition(ImmutableList.<Term>builder().addAll(terms).add(term).build(), norm);
  }

  /** Puts a BN behind the sum. */
  LinearAddition norm(BatchNorm2d value) {
    return new LinearAddition(terms, value);
  }

  /** The output of the sum and of its BN: a fresh tensor that the caller may change in place. */
  Tensor forward(Tensor input) {
    Tensor sum = terms.get(0).forward(input);
    for (Term term : terms.subList(1, terms.size())) {
      // Convolutions, scales and BNs save their inputs for the backward pass, never this output.
      sum.add_(term.forward(input));
    }
    return norm == null ? sum : norm.forward(sum);
  }

  /** The one convolution with bias that computes the same in evaluation, in float64. */
  FoldedConv fold() {
    KernelShape shape = terms.get(0).conv().shape();
    FoldedConv sum = null;
    for (Term term : terms) {
      FoldedConv one =
          term.conv() == null ? FoldedConv.identity(shape) : FoldedConv.of(term.conv());
      FoldedConv folded = one.then(term.after());
      sum = sum == null ? folded : sum.plus(folded);
    }
    return sum.then(norm);
  }

  /** The convolution of a deployed block, for {@link Deploy} to fill. */
  Conv2d onlyConv() {
    checkState(terms.size() == 1 && norm == null, "the block is not a deployed one");
    return terms.get(0).conv();
  }
}
