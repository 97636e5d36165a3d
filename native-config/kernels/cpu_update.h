// The fused update on a CPU: all parameters of a step in one parallel region, each thread one stretch of memory. Compiled by JavaCPP's
// Builder with the binding of org.repopt4j.runtime.UpdateKernels; the best instructions of the processor at hand are chosen at run time.
#ifndef REPOPT_CPU_UPDATE_H
#define REPOPT_CPU_UPDATE_H

#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <cmath>

#include "lanes.h"

// Keeps the compiler from gathering and scattering, which is slower than one element after another.
#define REPOPT_SCALAR asm volatile("")

namespace repopt {

namespace baseline {
typedef double Lanes;
#include "cpu_loops.inc"
}

#ifdef REPOPT_X86
#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace avx2 {
typedef Lanes4 Lanes;
#include "cpu_loops.inc"
}
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,prefer-vector-width=512")
namespace avx512 {
typedef Lanes8 Lanes;
#include "cpu_loops.inc"
}
#pragma GCC pop_options
#endif

enum Instructions { BASELINE = 0, AVX2 = 1, AVX512 = 2 };

inline int best_instructions() {
#ifdef REPOPT_X86
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl")) {
    return AVX512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return AVX2;
#endif
  return BASELINE;
}

}  // namespace repopt

// One step of these parameters. `instructions` is at most best_instructions().
static void repopt_update(int rule, const int64_t* table, int64_t count, int threads, int instructions) {
  using namespace repopt;
  const Row* rows = reinterpret_cast<const Row*>(table);
  int64 total = 0;
  for (int64 r = 0; r < count; r++) total += (rows[r].elements + baseline::PIECE - 1) / baseline::PIECE;
  auto pieces = baseline::pieces;
#ifdef REPOPT_X86
  if (instructions == AVX512) pieces = avx512::pieces;
  if (instructions == AVX2) pieces = avx2::pieces;
#endif
  // So few pieces are done before another thread has woken up.
  const int64 parts = std::min<int64>(threads, total / 128 + 1);
#pragma omp parallel for num_threads(parts) schedule(static, 1) if (parts > 1)
  for (int64 part = 0; part < parts; part++) pieces(rows, count, rule, total * part / parts, total * (part + 1) / parts);
}

// The CUDA kernels' way on the CPU, for tests: float32 rows without a master.
static void repopt_update_elementwise(int rule, const int64_t* table, int64_t count) {
  using namespace repopt;
  const Row* rows = reinterpret_cast<const Row*>(table);
  for (int64 r = 0; r < count; r++) {
    const Row& row = rows[r];
    for (int64 i = 0; i < row.elements; i += 4) {
      const int count = static_cast<int>(std::min<int64>(4, row.elements - i));
      const auto of = [&](void* memory, int k) -> float& { return static_cast<float*>(memory)[i + k]; };
      Element<double> e[4] = {};
      for (int k = 0; k < count; k++) {
        e[k] = {of(row.parameter, k), of(row.gradient, k), {}};
        for (int b = 0; b < 3; b++) e[k].buffers[b] = row.buffers[b] ? of(row.buffers[b], k) : 0;
      }
      steps<double, 4>(row, rule, static_cast<int>(i), count, e);
      for (int k = 0; k < count; k++) {
        of(row.parameter, k) = static_cast<float>(e[k].parameter);
        for (int b = 0; b < 3; b++) {
          if (row.buffers[b]) of(row.buffers[b], k) = static_cast<float>(e[k].buffers[b]);
        }
      }
    }
  }
}

// Goes once over `read` arrays of so many elements, the first `written` of which it changes.
static void repopt_limit(const int64_t* arrays, int read, int written, int64_t elements, int threads, int instructions) {
  using namespace repopt;
  float* of[5] = {};
  for (int a = 0; a < read; a++) of[a] = reinterpret_cast<float*>(arrays[a]);
  auto limit = baseline::limit;
#ifdef REPOPT_X86
  if (instructions == AVX512) limit = avx512::limit;
  if (instructions == AVX2) limit = avx2::limit;
#endif
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int64 part = 0; part < threads; part++) limit(of, read, written, elements * part / threads, elements * (part + 1) / threads);
}

static int repopt_instructions() { return repopt::best_instructions(); }

#endif
