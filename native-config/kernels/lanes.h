// Several float64 numbers side by side, which the functions of element.h take like a single one. What they need beside the operators is
// here: how they come from memory, how they go back, roots and quotients.
#ifndef REPOPT_LANES_H
#define REPOPT_LANES_H

#include "elementwise.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define REPOPT_X86
#include <immintrin.h>
// All of it is inlined, so that it does not matter how such numbers are handed to a function.
#pragma GCC diagnostic ignored "-Wpsabi"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace repopt {

REPOPT_FUNCTION void get(const float* from, double& to) { to = *from; }
REPOPT_FUNCTION void get(const double* from, double& to) { to = *from; }
REPOPT_FUNCTION void get(const bfloat16* from, double& to) { to = widened(*from); }
REPOPT_FUNCTION void put(double from, float* to) { *to = static_cast<float>(from); }
REPOPT_FUNCTION void put(double from, double* to) { *to = from; }
REPOPT_FUNCTION double quotient(double a, double b) { return a / b; }

#ifdef REPOPT_X86
#pragma GCC push_options
#pragma GCC target("avx2,fma")
typedef double Lanes4 __attribute__((vector_size(32)));

REPOPT_FUNCTION void get(const float* from, Lanes4& to) { to = _mm256_cvtps_pd(_mm_loadu_ps(from)); }
REPOPT_FUNCTION void get(const double* from, Lanes4& to) { to = _mm256_loadu_pd(from); }
REPOPT_FUNCTION void get(const bfloat16* from, Lanes4& to) {
  const __m128i bits = _mm_cvtepu16_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
  to = _mm256_cvtps_pd(_mm_castsi128_ps(_mm_slli_epi32(bits, 16)));
}
REPOPT_FUNCTION void put(Lanes4 from, float* to) { _mm_storeu_ps(to, _mm256_cvtpd_ps(from)); }
REPOPT_FUNCTION void put(Lanes4 from, double* to) { _mm256_storeu_pd(to, from); }
REPOPT_FUNCTION Lanes4 square_root(Lanes4 x) { return _mm256_sqrt_pd(x); }
REPOPT_FUNCTION Lanes4 quotient(Lanes4 a, Lanes4 b) { return a / b; }
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,prefer-vector-width=512")
typedef double Lanes8 __attribute__((vector_size(64)));

REPOPT_FUNCTION void get(const float* from, Lanes8& to) { to = _mm512_cvtps_pd(_mm256_loadu_ps(from)); }
REPOPT_FUNCTION void get(const double* from, Lanes8& to) { to = _mm512_loadu_pd(from); }
REPOPT_FUNCTION void get(const bfloat16* from, Lanes8& to) {
  const __m256i bits = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  to = _mm512_cvtps_pd(_mm256_castsi256_ps(_mm256_slli_epi32(bits, 16)));
}
REPOPT_FUNCTION void put(Lanes8 from, float* to) { _mm256_storeu_ps(to, _mm512_cvtpd_ps(from)); }
REPOPT_FUNCTION void put(Lanes8 from, double* to) { _mm512_storeu_pd(to, from); }

// What the series of a root and of an inverse make of 0 and of infinity is not a number; these are put in their places.
constexpr int OF_ZERO = 4 * 2, OF_INFINITY = 4 * 5, IS_INFINITY = 0x5, IS_ZERO = 0x8;

// The instruction for it keeps the divider for 24 cycles, which may have a quotient to find at the same time. Instead: an inverse root y
// right to 2^-14 and, with e = 1 - xy·y, the terms up to e³ of the series of √x = xy·(1 - e)^-½, which leave 2^-53.
REPOPT_FUNCTION Lanes8 square_root(Lanes8 x) {
  const Lanes8 y = _mm512_rsqrt14_pd(x), near = x * y, e = 1 - near * y;
  const Lanes8 root = near + near * e * (0.5 + e * (0.375 + e * 0.3125));
  return _mm512_fixupimm_pd(root, x, _mm512_set1_epi64(IS_ZERO << OF_ZERO | IS_INFINITY << OF_INFINITY), 0);
}

// a / b for a b that is not negative and, if not 0 or infinite, between 1e-300 and 1e300; for loops in which the divider would be what
// takes longest. An inverse right to 2^-14 and, with e = 1 - by, the terms up to e³ of the series of 1/b = y/(1 - e), which leave 2^-56.
REPOPT_FUNCTION Lanes8 quotient(Lanes8 a, Lanes8 b) {
  const Lanes8 y = _mm512_rcp14_pd(b), e = 1 - b * y, near = y + y * e;
  const Lanes8 inverse = near + near * (e * e);
  return a * Lanes8(_mm512_fixupimm_pd(inverse, b, _mm512_set1_epi64(IS_INFINITY << OF_ZERO | IS_ZERO << OF_INFINITY), 0));
}
#pragma GCC pop_options
#endif

}  // namespace repopt

#endif
