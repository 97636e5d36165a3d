// Convolutions with a 3x3 kernel and padding 1 on weights and activations as libtorch lays them out: with stride 1 by Winograd's F(2x2, 3x3)
// (Lavin and Gray, arXiv 1509.09308), 16 multiplications for four outputs instead of 36; with stride 2, or where images have shrunk to 2x2, as
// matrix products. Each sum is made in one order, whatever the number of threads. Compiled by JavaCPP's Builder with the binding of
// org.repopt4j.runtime.ConvolutionKernels.
#ifndef REPOPT_CONVOLUTION_H
#define REPOPT_CONVOLUTION_H
#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <omp.h>
#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <vector>

namespace repopt {
namespace convolution {

// Images of one size, cut into tiles of 2x2 outputs.
struct Tiles {
  int64_t images, height, width, across, tiles_each, tiles;
  std::vector<int> offsets;  // where each tile's 4x4 inputs begin in padded planes, one after the other

  Tiles(int64_t n, int64_t h, int64_t w) : images(n), height(h), width(w), across((w + 1) / 2) {
    tiles_each = (h + 1) / 2 * across;
    tiles = n * tiles_each;
    offsets.resize(tiles);
    for (int64_t i = 0; i < tiles; i++) {
      const int64_t inside = i % tiles_each;
      offsets[i] = i / tiles_each * padded_plane() + inside / across * 2 * padded_width() + inside % across * 2;
    }
  }
  int64_t padded_width() const { return 2 * across + 2; }
  int64_t padded_plane() const { return (tiles_each / across * 2 + 2) * padded_width(); }
  int64_t blocks(int columns) const { return (tiles + columns - 1) / columns; }
  void pad(const float* plane, float* padded) const {
    for (int64_t y = 0; y < height; y++) memcpy(padded + (y + 1) * padded_width() + 1, plane + y * width, width * sizeof(float));
  }
};

// Images of one size and the pixels of what a stride of 2 makes of them.
struct Halved {
  int64_t images, height, width, down, across, pixels_each, pixels;
  std::vector<int> corners;  // where the kernel's corner lies in a padded plane, for each pixel of an output

  Halved(int64_t n, int64_t h, int64_t w) : images(n), height(h), width(w), down((h + 1) / 2), across((w + 1) / 2) {
    pixels_each = down * across;
    pixels = n * pixels_each;
    for (int64_t i = 0; i < pixels_each; i++) corners.push_back(i / across * 2 * padded_width() + i % across * 2);
  }
  int64_t padded_width() const { return 2 * across + 1; }
  int64_t padded_plane() const { return (2 * down + 1) * padded_width(); }
  int64_t blocks(int columns) const { return (pixels + columns - 1) / columns; }
  void pad(const float* plane, float* padded) const {
    for (int64_t y = 0; y < height; y++) memcpy(padded + (y + 1) * padded_width() + 1, plane + y * width, width * sizeof(float));
  }
};

// Images of at most 2x2 pixels.
struct Small {
  int64_t images, width;
  int pixels;

  Small(int64_t n, int64_t h, int64_t w) : images(n), width(w), pixels(h * w) {}
  // Where the kernel, laid on an output's pixel, has the input's.
  int tap(int output, int input) const { return (input / width - output / width + 1) * 3 + (input % width - output % width + 1); }
};

// This thread's part of some work.
struct Share {
  const int64_t part = omp_get_thread_num(), parts = omp_get_num_threads();
  int64_t first(int64_t count) const { return count * part / parts; }
  int64_t last(int64_t count) const { return count * (part + 1) / parts; }
};

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace avx2 {
#define REPOPT_LANES 8
#define REPOPT_ROWS 6
#include "product_loops.inc"
#include "winograd_loops.inc"
#include "stride2_loops.inc"
#include "small_loops.inc"
#undef REPOPT_LANES
#undef REPOPT_ROWS
}
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,prefer-vector-width=512")
namespace avx512 {
#define REPOPT_LANES 16
#define REPOPT_ROWS 12
#include "product_loops.inc"
#include "winograd_loops.inc"
#include "stride2_loops.inc"
#include "small_loops.inc"
#undef REPOPT_LANES
#undef REPOPT_ROWS
}
#pragma GCC pop_options
}  // namespace convolution
}  // namespace repopt

#define REPOPT_CONVOLVE(function, ...) \
  (instructions == 2 ? repopt::convolution::avx512::function(__VA_ARGS__) : repopt::convolution::avx2::function(__VA_ARGS__))
#else
}  // namespace convolution
}  // namespace repopt
#define REPOPT_CONVOLVE(function, ...) ((void)instructions, 0)
#endif

// Whether the processor multiplies tiles of bfloat16 (AMX).
static int repopt_multiplies_tiles() {
#ifdef __x86_64__
  unsigned a, b, c, d;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 22 & 1) && (d >> 24 & 1);
#else
  return 0;
#endif
}

#define REPOPT_STRIDE_1(function, ...)                                                                          \
  (shape[1] <= 2 && shape[2] <= 2 ? REPOPT_CONVOLVE(function, Small(shape[0], shape[1], shape[2]), __VA_ARGS__) \
                                  : REPOPT_CONVOLVE(function, Tiles(shape[0], shape[1], shape[2]), __VA_ARGS__))

// `shape`: images, height and width of the inputs, output channels, input channels, stride (1 or 2). `instructions`: 1 AVX2, 2 AVX-512.
static int64_t repopt_convolution_scratch(const int64_t* shape, int instructions) {
  using namespace repopt::convolution;
  if (shape[5] == 2) return REPOPT_CONVOLVE(scratch_floats, Halved(shape[0], shape[1], shape[2]), shape[3], shape[4]);
  return REPOPT_STRIDE_1(scratch_floats, shape[3], shape[4]);
}

static void repopt_convolution(const float* x, const float* w, float* y, float* scratch, const int64_t* shape, int threads, int instructions) {
  using namespace repopt::convolution;
  if (shape[5] == 2) return REPOPT_CONVOLVE(convolve, Halved(shape[0], shape[1], shape[2]), x, w, shape[3], shape[4], y, scratch, threads);
  REPOPT_STRIDE_1(convolve, x, w, shape[3], shape[4], false, y, scratch, threads);
}

static void repopt_convolution_input_gradient(const float* gy, const float* w, float* gx, float* scratch, const int64_t* shape, int threads, int instructions) {
  using namespace repopt::convolution;
  if (shape[5] == 2) return REPOPT_CONVOLVE(input_gradient, Halved(shape[0], shape[1], shape[2]), gy, w, shape[3], shape[4], gx, scratch, threads);
  REPOPT_STRIDE_1(convolve, gy, w, shape[3], shape[4], true, gx, scratch, threads);
}

static void repopt_convolution_weight_gradient(const float* x, const float* gy, float* gw, float* scratch, const int64_t* shape, int threads, int instructions) {
  using namespace repopt::convolution;
  if (shape[5] == 2) return REPOPT_CONVOLVE(weight_gradient, Halved(shape[0], shape[1], shape[2]), x, gy, shape[3], shape[4], gw, scratch, threads);
  REPOPT_STRIDE_1(weight_gradient, x, gy, shape[3], shape[4], gw, scratch, threads);
}

// The factors of a weight gradient in bfloat16. Gradients [n][out][down][across] to rows [out][n * down * across]; inputs [n][in][h][w] to
// columns [in * 9][n * down * across]: for each tap of the kernel, the input that each output meets.
static void repopt_weight_gradient_factors(const uint16_t* x, const uint16_t* gy, uint16_t* columns, uint16_t* rows, const int64_t* shape, int threads) {
  const int64_t images = shape[0], height = shape[1], width = shape[2], out = shape[3], in = shape[4], stride = shape[5];
  const int64_t down = (height - 1) / stride + 1, across = (width - 1) / stride + 1;
  // With a stride of 2 the even columns of a padded plane lie before the odd ones, so that what a tap meets lies side by side.
  const int64_t pitch = width / stride + 2, half = (height + 2) * pitch, plane = stride * half;
#pragma omp parallel num_threads(threads)
  {
    const repopt::convolution::Share share;
    for (int64_t o = share.first(out); o < share.last(out); o++) {
      for (int64_t n = 0; n < images; n++) memcpy(rows + (o * images + n) * down * across, gy + (n * out + o) * down * across, down * across * sizeof *rows);
    }
    std::vector<uint16_t> padded(plane, 0);
    for (int64_t c = share.first(in); c < share.last(in); c++) {
      for (int64_t n = 0; n < images; n++) {
        const uint16_t* from = x + (n * in + c) * height * width;
        for (int64_t i = 0; i < height; i++) {
          for (int64_t j = 0; j < width; j++) padded[(j + 1) % stride * half + (i + 1) * pitch + (j + 1) / stride] = from[i * width + j];
        }
        for (int tap = 0; tap < 9; tap++) {
          const uint16_t* corner = padded.data() + tap % 3 % stride * half + tap / 3 * pitch + tap % 3 / stride;
          uint16_t* to = columns + ((c * 9 + tap) * images + n) * down * across;
          for (int64_t i = 0; i < down; i++, corner += stride * pitch, to += across) {
            if (across == 8) {  // one move instead of a call
              memcpy(to, corner, 8 * sizeof *to);
            } else {
              memcpy(to, corner, across * sizeof *to);
            }
          }
        }
      }
    }
  }
}

#endif
