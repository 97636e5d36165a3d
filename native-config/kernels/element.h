// What one element of a parameter goes through in a step, once for every processor: the CPU's loops and the CUDA kernel both call
// these functions, so that there is one place where grad mult, weight decay, momentum and learning rate meet.
//
// A is the type of the arithmetic, not of the memory. On a CPU it is double, or several of them side by side (lanes.h): the step waits for
// memory anyway, and a result is then the exact one rounded once. N is that of the numbers that all elements share.
#ifndef REPOPT_ELEMENT_H
#define REPOPT_ELEMENT_H

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#define REPOPT_FUNCTION __host__ __device__ __forceinline__
#else
#define REPOPT_FUNCTION inline __attribute__((always_inline))
#endif

namespace repopt {

// SGD: grad mult, weight decay, momentum, learning rate.
template <typename A>
struct Sgd {
  A gradient;      // 1, divided by the gradient's scale; negative to maximize
  A weight_decay;
  A keep;          // of the momentum buffer: the momentum; 0 at a parameter's first step
  A gain;          // 1 - dampening; 1 at a parameter's first step
  A of_gradient;   // the rate times what makes up the step of the gradient and of the buffer: 0 and 1, 1 and the momentum (Nesterov),
  A of_buffer;     // or 1 and 0
};

// The factor is the Grad Mult times s.gradient.
template <typename A, typename N>
REPOPT_FUNCTION A sgd_gradient(A parameter, A gradient, A factor, const Sgd<N>& s) {
  return gradient * factor + s.weight_decay * parameter;
}

template <typename A, typename N>
REPOPT_FUNCTION A sgd_buffer(A buffer, A d, const Sgd<N>& s) {
  return s.keep * buffer + s.gain * d;
}

template <typename A, typename N>
REPOPT_FUNCTION A sgd_parameter(A parameter, A d, A buffer, const Sgd<N>& s) {
  return parameter - s.of_buffer * buffer - s.of_gradient * d;
}

// AdamW, with either rule for a Grad Mult.
template <typename A>
struct AdamW {
  A gradient;  // as for SGD
  A decay;     // 1 - rate · weight decay
  A beta1, one_minus_beta1, beta2, one_minus_beta2;
  A step;      // rate / (1 - β1^t)
  A root;      // 1 / sqrt(1 - β2^t)
  A eps;
};

template <typename A, typename N>
REPOPT_FUNCTION A adamw_first(A m, A gradient, const AdamW<N>& s) {
  return s.beta1 * m + s.one_minus_beta1 * gradient;
}

template <typename A, typename N>
REPOPT_FUNCTION A adamw_second(A v, A gradient, const AdamW<N>& s) {
  return s.beta2 * v + s.one_minus_beta2 * (gradient * gradient);
}

// The larger of the two; not a number as soon as one of them is not.
template <typename A>
REPOPT_FUNCTION A adamw_largest(A largest, A v) {
  return largest > v || largest != largest ? largest : v;
}

// The official rule: the factor is Σ s (1 without a Grad Mult), the root that of the multiplied gradient's moment.
template <typename A, typename N>
REPOPT_FUNCTION A adamw_ratio(A m, A root, A mult, const AdamW<N>& s) {
  return mult * m / (root + s.eps);
}

template <typename A>
struct Fraction {
  A above, below;
};

// The exact rule, one branch of the sum. A branch whose scale is 0 never steps, not even by 0 / 0 or by 0 times infinity.
template <typename A, typename N>
REPOPT_FUNCTION Fraction<A> adamw_branch_fraction(A m, A root, A scale, const AdamW<N>& s) {
  const A size = scale < 0 ? -scale : scale;
  return {size == 0 ? A{} : scale * (scale * m), size == 0 ? A{} + 1 : size * root + s.eps};
}

template <typename A, typename N>
REPOPT_FUNCTION A adamw_branch_ratio(A m, A root, A scale, const AdamW<N>& s) {
  const Fraction<A> f = adamw_branch_fraction(m, root, scale, s);
  return f.above / f.below;
}

template <typename A, typename N>
REPOPT_FUNCTION A adamw_parameter(A parameter, A ratio, const AdamW<N>& s) {
  return parameter * s.decay - s.step * ratio;
}

// A moving average of a parameter.
template <typename A>
REPOPT_FUNCTION A averaged(A average, A parameter, A decay) {
  return average + (A(1) - decay) * (parameter - average);
}

}  // namespace repopt

#endif
