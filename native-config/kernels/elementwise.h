// A step for one element by itself: where it lies in the kernel and what its row says about it. The CUDA kernels' way; the same functions
// run on the CPU, element after element, so that they can be tested without a GPU.
#ifndef REPOPT_ELEMENTWISE_H
#define REPOPT_ELEMENTWISE_H

#include "table.h"

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

// Where an element lies: output channel, input within the group, row and column of the kernel.
struct Place {
  int o, i, y, x;
};

// A parameter has fewer than 2^31 elements here, so that the divisions are those of 32 bits.
REPOPT_FUNCTION Place place(const Row& row, int element) {
  if (row.branch_count == 0) return {};
  const int wide = static_cast<int>(row.inputs), kw = static_cast<int>(row.kw), taps = static_cast<int>(row.kh) * kw;
  const int o = element / (wide * taps), rest = element - o * (wide * taps);
  int i, tap;
  if (row.channels_last) {
    tap = rest / wide;
    i = rest - tap * wide;
  } else {
    i = rest / taps;
    tap = rest - i * taps;
  }
  const int y = tap / kw;
  return {o, i, y, tap - y * kw};
}

// Raises the number; whether it wrapped around.
REPOPT_FUNCTION bool raised(int& number, long long end) {
  if (++number < end) return false;
  number = 0;
  return true;
}

// The place of the element after it.
REPOPT_FUNCTION void advance(const Row& row, Place& at) {
  if (row.channels_last) {
    if (raised(at.i, row.inputs) && raised(at.x, row.kw) && raised(at.y, row.kh)) at.o++;
  } else {
    if (raised(at.x, row.kw) && raised(at.y, row.kh) && raised(at.i, row.inputs)) at.o++;
  }
}

// Whether a branch has a parameter there.
REPOPT_FUNCTION bool reaches(const Row& row, const Branch& branch, const Place& at) {
  const int kh = static_cast<int>(branch.kh), kw = static_cast<int>(branch.kw);
  const int top = (static_cast<int>(row.kh) - kh) / 2, left = (static_cast<int>(row.kw) - kw) / 2;
  if (at.y < top || at.y >= top + kh || at.x < left || at.x >= left + kw) return false;
  if (sees_all(row, branch)) return true;
  const int first = first_input(row, branch, at.o);
  return at.i >= first && at.i < first + static_cast<int>(branch.inputs);
}

// The Grad Mult at an element; 1 without branches.
template <typename A>
REPOPT_FUNCTION A mult_at(const Row& row, const Place& at) {
  if (row.branch_count == 0) return A(1);
  double sum = 0;
  for (int b = 0; b < row.branch_count; b++) {
    if (reaches(row, row.branches[b], at)) sum += row.branches[b].coefficients[at.o];
  }
  return static_cast<A>(sum);
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

template <typename A>
REPOPT_FUNCTION void sgd_step(const Row& row, const Sgd<A>& s, const Place& at, Element<A>& e) {
  const A d = sgd_gradient(e.parameter, e.gradient, mult_at<A>(row, at) * s.gradient, s);
  const A velocity = row.buffers[0] ? sgd_buffer(e.buffers[0], d, s) : A(0);
  e.buffers[0] = velocity;
  e.parameter = sgd_parameter(e.parameter, d, velocity, s);
}

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
REPOPT_FUNCTION void adamw_step(const Row& row, bool exact, const AdamW<A>& s, const Place& at, Element<A>& e) {
  const bool branches = exact && row.branch_count > 0;
  const A factor = branches ? A(1) : mult_at<A>(row, at);
  const A gradient = e.gradient * s.gradient * factor;
  const A first = e.buffers[0] = adamw_first(e.buffers[0], gradient, s);
  A second = e.buffers[1] = adamw_second(e.buffers[1], gradient, s);
  if (row.buffers[2]) second = e.buffers[2] = adamw_largest(e.buffers[2], second);
  const A root = square_root(second) * s.root;
  A ratio = 0;
  if (branches) {
    for (int b = 0; b < row.branch_count; b++) {
      if (reaches(row, row.branches[b], at)) {
        ratio += adamw_branch_ratio(first, root, static_cast<A>(row.branches[b].coefficients[at.o]), s);
      }
    }
  } else {
    ratio = adamw_ratio(first, root, factor, s);
  }
  e.parameter = adamw_parameter(e.parameter, ratio, s);
}

template <typename A>
REPOPT_FUNCTION void step(const Row& row, int rule, const Place& at, Element<A>& e) {
  if (rule == SGD) {
    sgd_step(row, sgd_numbers<A>(row), at, e);
  } else {
    adamw_step(row, rule == ADAMW_EXACT, adamw_numbers<A>(row), at, e);
  }
}

}  // namespace repopt

#endif
