// The fused update on a CUDA device: all parameters of a step in one launch. A block takes pieces of rows; a thread takes four elements
// that lie side by side at a time. Compiled by nvcc into what is shipped, or by NVRTC for the device at hand.
#include "elementwise.h"

using namespace repopt;

namespace {

constexpr int SIDE_BY_SIDE = 4;
constexpr int THREADS = 128;  // of a block; Java launches as many

// Blocks that a multiprocessor has at once: as many as there are registers for without spilling one.
template <int RULE, typename S>
constexpr int BLOCKS = sizeof(S) == 8 ? 3 : RULE == SGD ? 5 : 4;

template <typename T>
struct alignas(sizeof(T) * SIDE_BY_SIDE) Four {
  T of[SIDE_BY_SIDE];
};

template <typename T>
__device__ __forceinline__ bool is_aligned(const T* address) {
  return (reinterpret_cast<unsigned long long>(address) & (sizeof(Four<T>) - 1)) == 0;
}

// `count` elements from `at` on, in one access where they are four that lie right for it.
template <typename T>
__device__ __forceinline__ Four<T> load(const void* memory, int at, int count) {
  const T* from = static_cast<const T*>(memory) + at;
  if (count == SIDE_BY_SIDE && is_aligned(from)) return *reinterpret_cast<const Four<T>*>(from);
  Four<T> four = {};
#pragma unroll
  for (int k = 0; k < SIDE_BY_SIDE; k++) {
    if (k < count) four.of[k] = from[k];
  }
  return four;
}

template <typename T>
__device__ __forceinline__ void store(void* memory, int at, int count, const Four<T>& four) {
  T* to = static_cast<T*>(memory) + at;
  if (count == SIDE_BY_SIDE && is_aligned(to)) {
    *reinterpret_cast<Four<T>*>(to) = four;
    return;
  }
#pragma unroll
  for (int k = 0; k < SIDE_BY_SIDE; k++) {
    if (k < count) to[k] = four.of[k];
  }
}

// G: the gradient's type. S: that of the updated tensor and of the state. A: the arithmetic's.
template <int RULE, typename G, typename S, typename A>
__device__ __forceinline__ void four(const Row& row, int at, int count) {
  constexpr int BUFFERS = RULE == SGD ? 1 : 3;
  void* const updated = row.master ? row.master : row.parameter;
  Four<S> p = load<S>(updated, at, count), buffers[BUFFERS];
  const Four<G> g = load<G>(row.gradient, at, count);
#pragma unroll
  for (int b = 0; b < BUFFERS; b++) {
    if (row.buffers[b]) buffers[b] = load<S>(row.buffers[b], at, count);
  }
  Element<A> e[SIDE_BY_SIDE];
#pragma unroll
  for (int k = 0; k < SIDE_BY_SIDE; k++) {
    e[k] = {static_cast<A>(p.of[k]), static_cast<A>(widened(g.of[k])), {}};
#pragma unroll
    for (int b = 0; b < BUFFERS; b++) {
      if (row.buffers[b]) e[k].buffers[b] = static_cast<A>(buffers[b].of[k]);
    }
  }
  // The exact rule has so much to keep of each element that two at a time are as many as there are registers for.
  constexpr int AT_ONCE = RULE == ADAMW_EXACT ? 2 : SIDE_BY_SIDE;
#pragma unroll
  for (int k = 0; k < SIDE_BY_SIDE; k += AT_ONCE) {
    if (k < count) steps<A, AT_ONCE>(row, RULE, at + k, count - k, e + k);
  }
#pragma unroll
  for (int k = 0; k < SIDE_BY_SIDE; k++) {
    p.of[k] = static_cast<S>(e[k].parameter);
#pragma unroll
    for (int b = 0; b < BUFFERS; b++) buffers[b].of[k] = static_cast<S>(e[k].buffers[b]);
  }
  store(updated, at, count, p);
#pragma unroll
  for (int b = 0; b < BUFFERS; b++) {
    if (row.buffers[b]) store(row.buffers[b], at, count, buffers[b]);
  }
  if constexpr (sizeof(G) < sizeof(S)) {
    if (row.master) {
      Four<G> low;
#pragma unroll
      for (int k = 0; k < SIDE_BY_SIDE; k++) narrow(p.of[k], low.of[k]);
      store(row.parameter, at, count, low);
    }
  }
  if (row.average) {
    Four<S> average = load<S>(row.average, at, count);
#pragma unroll
    for (int k = 0; k < SIDE_BY_SIDE; k++) {
      average.of[k] =
          static_cast<S>(averaged(static_cast<A>(average.of[k]), static_cast<A>(p.of[k]), static_cast<A>(row.average_decay)));
    }
    store(row.average, at, count, average);
  }
  if (row.clear) store(row.gradient, at, count, Four<G>{});
}

// Piece after piece of `piece` elements; a row's pieces are counted from its first_piece on.
template <int RULE, typename G, typename S, typename A>
__device__ __forceinline__ void pieces(const Row* rows, int count, int piece, int total) {
  for (int k = blockIdx.x; k < total; k += gridDim.x) {
    int low = 0, high = count - 1;
    while (low < high) {
      const int middle = (low + high + 1) / 2;
      if (rows[middle].first_piece <= k) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    const Row& row = rows[low];
    const int from = (k - static_cast<int>(row.first_piece)) * piece;
    const int to = min(from + piece, static_cast<int>(row.elements));
    for (int at = from + static_cast<int>(threadIdx.x) * SIDE_BY_SIDE; at < to; at += static_cast<int>(blockDim.x) * SIDE_BY_SIDE) {
      four<RULE, G, S, A>(row, at, min(SIDE_BY_SIDE, to - at));
    }
  }
}

}  // namespace

// All rows of a launch are of one type. The arithmetic is float64 where the device is good at it, otherwise float32.
#define REPOPT_KERNEL(name, rule, gradient, state, arithmetic)                                               \
  extern "C" __global__ void __launch_bounds__(THREADS, (BLOCKS<rule, state>)) name(const Row* rows, int count, int piece, int total) { \
    pieces<rule, gradient, state, arithmetic>(rows, count, piece, total);                                    \
  }

#define REPOPT_RULE(name, rule)                                                  \
  REPOPT_KERNEL(name##_float32, rule, float, float, double)                      \
  REPOPT_KERNEL(name##_float32_in_float32, rule, float, float, float)            \
  REPOPT_KERNEL(name##_float64, rule, double, double, double)                    \
  REPOPT_KERNEL(name##_bfloat16, rule, bfloat16, float, double)                  \
  REPOPT_KERNEL(name##_bfloat16_in_float32, rule, bfloat16, float, float)        \
  REPOPT_KERNEL(name##_float16, rule, float16, float, double)                    \
  REPOPT_KERNEL(name##_float16_in_float32, rule, float16, float, float)

REPOPT_RULE(repopt_sgd, SGD)
REPOPT_RULE(repopt_adamw_official, ADAMW_OFFICIAL)
REPOPT_RULE(repopt_adamw_exact, ADAMW_EXACT)
