// A step for a few elements that lie side by side: where they lie in the kernel and what their row says about them. The CUDA kernels'
// way; the same functions run on the CPU so that they can be tested without a GPU. Every look-up and every division is an instruction that
// the device could have used for its memory, so what the elements have in common is found once for all of them.
#ifndef REPOPT_ELEMENTWISE_H
#define REPOPT_ELEMENTWISE_H

#include "table.h"

// What is not unrolled on a GPU would have its arrays in memory.
#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#define REPOPT_UNROLL _Pragma("unroll")
#else
#define REPOPT_UNROLL
#endif

namespace repopt {

struct bfloat16 {
  unsigned short bits;
};

struct float16 {
  unsigned short bits;
};

REPOPT_FUNCTION float widened(float value) { return value; }
REPOPT_FUNCTION double widened(double value) { return value; }

REPOPT_FUNCTION float widened(bfloat16 value) {
  union {
    unsigned int bits;
    float number;
  } both;
  both.bits = static_cast<unsigned int>(value.bits) << 16;
  return both.number;
}

// To the nearest, to even where two are as near; what is not a number stays so.
REPOPT_FUNCTION void narrow(float value, bfloat16& to) {
  union {
    float number;
    unsigned int bits;
  } both;
  both.number = value;
  const unsigned int nearest = (both.bits + 0x7fff + (both.bits >> 16 & 1)) >> 16;
  to.bits = static_cast<unsigned short>(value != value ? 0x7fc0 : nearest);
}

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
// Instructions of the device, because a header of CUDA's is not at hand everywhere.
__device__ __forceinline__ float widened(float16 value) {
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
  return result;
}

__device__ __forceinline__ void narrow(float value, float16& to) { asm("cvt.rn.f16.f32 %0, %1;" : "=h"(to.bits) : "f"(value)); }
#endif

// Where an element lies: output channel, input within the group, place in the kernel row by row.
struct Place {
  int o, i, tap;
};

// A parameter has fewer than 2^31 elements here, so that the divisions are those of 32 bits.
REPOPT_FUNCTION Place place(const Row& row, int element) {
  const unsigned at = static_cast<unsigned>(element), wide = static_cast<unsigned>(row.inputs);
  const unsigned taps = static_cast<unsigned>(row.kh) * static_cast<unsigned>(row.kw), inner = row.channels_last ? wide : taps;
  const unsigned o = at / (wide * taps), rest = at - o * (wide * taps);
  const int high = static_cast<int>(rest / inner), low = static_cast<int>(rest - rest / inner * inner);
  return {static_cast<int>(o), row.channels_last ? low : high, row.channels_last ? high : low};
}

// Raises the number; whether it wrapped around.
REPOPT_FUNCTION bool raised(int& number, int end) {
  if (++number < end) return false;
  number = 0;
  return true;
}

// The place of the element after it.
REPOPT_FUNCTION Place after(const Row& row, Place at) {
  const int inputs = static_cast<int>(row.inputs), taps = static_cast<int>(row.kh) * static_cast<int>(row.kw);
  if (row.channels_last) {
    if (raised(at.i, inputs) && raised(at.tap, taps)) at.o++;
  } else {
    if (raised(at.tap, taps) && raised(at.i, inputs)) at.o++;
  }
  return at;
}

// From 0 on and less than the end, in one comparison.
REPOPT_FUNCTION bool within(int number, int end) { return static_cast<unsigned>(number) < static_cast<unsigned>(end); }

// Whether a branch has a parameter there.
REPOPT_FUNCTION bool reaches(const Row& row, const Branch& branch, const Place& at) {
  const int kh = static_cast<int>(branch.kh), kw = static_cast<int>(branch.kw), wide = static_cast<int>(row.kw);
  const int top = (static_cast<int>(row.kh) - kh) / 2, left = (wide - kw) / 2, y = at.tap / wide;
  return within(y - top, kh) && within(at.tap - y * wide - left, kw) &&
         (sees_all(row, branch) || within(at.i - first_input(row, branch, at.o), static_cast<int>(branch.inputs)));
}

// Calls found(k, coefficient) for each of `count` elements from `at` on, at most N, and each branch that has a parameter there. Mostly
// they are of one output channel and a small kernel; then a branch costs a look-up and an element of it the test of a bit.
template <int N, typename F>
REPOPT_FUNCTION void each_reached(const Row& row, int at, int count, F found) {
  Place of[N];
  of[0] = place(row, at);
  REPOPT_UNROLL
  for (int k = 1; k < N; k++) of[k] = after(row, of[k - 1]);
  const int branches = static_cast<int>(row.branch_count), o = of[0].o;
  const bool simple = of[N - 1].o == o && row.kh * row.kw <= TAP_BITS;
  for (int b = 0; b < branches; b++) {
    const Branch& branch = row.branches[b];
    if (!simple) {
      REPOPT_UNROLL
      for (int k = 0; k < N; k++) {
        // Beyond the end there is no coefficient to look up.
        if (k < count && reaches(row, branch, of[k])) found(k, branch.coefficients[of[k].o]);
      }
      continue;
    }
    const double coefficient = branch.coefficients[o];
    const unsigned taps = static_cast<unsigned>(branch.taps);
    if (sees_all(row, branch)) {
      REPOPT_UNROLL
      for (int k = 0; k < N; k++) {
        if (taps >> of[k].tap & 1) found(k, coefficient);
      }
    } else {
      const int first = first_input(row, branch, o), inputs = static_cast<int>(branch.inputs);
      REPOPT_UNROLL
      for (int k = 0; k < N; k++) {
        if ((taps >> of[k].tap & 1) && within(of[k].i - first, inputs)) found(k, coefficient);
      }
    }
  }
}

// The Grad Mults of so many elements; 1 without branches.
template <typename A, int N>
REPOPT_FUNCTION void grad_mults(const Row& row, int at, int count, A (&mults)[N]) {
  double sums[N] = {};
  if (row.branch_count > 0) {
    each_reached<N>(row, at, count, [&](int k, double coefficient) { sums[k] += coefficient; });
  }
  REPOPT_UNROLL
  for (int k = 0; k < N; k++) mults[k] = row.branch_count > 0 ? static_cast<A>(sums[k]) : A(1);
}

// The numbers of a step in the arithmetic's type.
template <typename A>
REPOPT_FUNCTION Sgd<A> sgd_numbers(const Row& row) {
  const double* n = row.numbers;
  return {A(n[0]), A(n[1]), A(n[2]), A(n[3]), A(n[4]), A(n[5])};
}

template <typename A>
REPOPT_FUNCTION AdamW<A> adamw_numbers(const Row& row) {
  const double* n = row.numbers;
  return {A(n[0]), A(n[1]), A(n[2]), A(n[3]), A(n[4]), A(n[5]), A(n[6]), A(n[7]), A(n[8])};
}

// One element's parameter, gradient and buffers; the gradient is not changed.
template <typename A>
struct Element {
  A parameter, gradient, buffers[3];
};

REPOPT_FUNCTION float square_root(float value) {
#ifdef __CUDA_ARCH__
  return sqrtf(value);
#else
  return __builtin_sqrtf(value);
#endif
}

REPOPT_FUNCTION double square_root(double value) {
#ifdef __CUDA_ARCH__
  return sqrt(value);
#else
  return __builtin_sqrt(value);
#endif
}

template <typename A>
REPOPT_FUNCTION void sgd_step(const Row& row, const Sgd<A>& s, A mult, Element<A>& e) {
  const A d = sgd_gradient(e.parameter, e.gradient, mult * s.gradient, s);
  const A velocity = row.buffers[0] ? sgd_buffer(e.buffers[0], d, s) : A(0);
  e.buffers[0] = velocity;
  e.parameter = sgd_parameter(e.parameter, d, velocity, s);
}

// The moments; what the second one's root comes to.
template <typename A>
REPOPT_FUNCTION A adamw_moments(const Row& row, const AdamW<A>& s, A mult, Element<A>& e) {
  const A gradient = e.gradient * s.gradient * mult;
  e.buffers[0] = adamw_first(e.buffers[0], gradient, s);
  A second = e.buffers[1] = adamw_second(e.buffers[1], gradient, s);
  if (row.buffers[2]) second = e.buffers[2] = adamw_largest(e.buffers[2], second);
  return square_root(second) * s.root;
}

template <typename A, int N>
REPOPT_FUNCTION void adamw_exact_steps(const Row& row, const AdamW<A>& s, int at, int count, Element<A>* e) {
  A roots[N], ratios[N];
  REPOPT_UNROLL
  for (int k = 0; k < N; k++) {
    roots[k] = adamw_moments(row, s, A(1), e[k]);
    ratios[k] = 0;
  }
  each_reached<N>(row, at, count, [&](int k, double coefficient) {
    ratios[k] += adamw_branch_ratio(e[k].buffers[0], roots[k], static_cast<A>(coefficient), s);
  });
  REPOPT_UNROLL
  for (int k = 0; k < N; k++) e[k].parameter = adamw_parameter(e[k].parameter, ratios[k], s);
}

// A step of `count` elements from `at` on, at most N; what is made of the others means nothing.
template <typename A, int N>
REPOPT_FUNCTION void steps(const Row& row, int rule, int at, int count, Element<A>* e) {
  if (rule == ADAMW_EXACT && row.branch_count > 0) {
    adamw_exact_steps<A, N>(row, adamw_numbers<A>(row), at, count, e);
    return;
  }
  A mults[N];
  grad_mults<A, N>(row, at, count, mults);
  if (rule == SGD) {
    const Sgd<A> s = sgd_numbers<A>(row);
  REPOPT_UNROLL
    for (int k = 0; k < N; k++) sgd_step(row, s, mults[k], e[k]);
  } else {
    const AdamW<A> s = adamw_numbers<A>(row);
  REPOPT_UNROLL
    for (int k = 0; k < N; k++) {
      const A root = adamw_moments(row, s, mults[k], e[k]);
      e[k].parameter = adamw_parameter(e[k].parameter, adamw_ratio(e[k].buffers[0], root, mults[k], s), s);
    }
  }
}

}  // namespace repopt

#endif
