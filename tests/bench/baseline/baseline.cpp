// What an optimizer's step over RepOpt-VGG-B1's parameters costs in plain C++: the read-modify-write limit of the bytes that it
// moves, one loop a tensor, and one pass over a tensor for each operation as a framework makes them. Prints JSON.
//
//   baseline ROUNDS THREADS
#include <omp.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace {

constexpr float kMomentum = 0.9f, kDecay = 4e-5f, kRate = 1e-6f, kBeta2 = 0.999f, kEps = 1e-8f;
constexpr long kAlone = 32768;  // a smaller tensor is one thread's work, as in libtorch

struct Piece {
  long begin, count;
  bool masked, decayed;
};

// The trainable tensors in the network's order: a 3x3 kernel and a normalization's weight and bias for each block, then the classifier.
std::vector<Piece> b1() {
  const int blocks[] = {4, 6, 16, 1}, widths[] = {128, 256, 512, 2048};
  std::vector<Piece> pieces;
  long at = 0;
  auto add = [&](long count, bool masked, bool decayed) {
    pieces.push_back({at, count, masked, decayed});
    at += count;
  };
  auto block = [&](long in, long out) {
    add(out * in * 9, true, true);
    add(out, false, false);
    add(out, false, false);
  };
  long channels = 3;
  block(channels, 64);
  channels = 64;
  for (int stage = 0; stage < 4; stage++) {
    for (int b = 0; b < blocks[stage]; b++) {
      block(channels, widths[stage]);
      channels = widths[stage];
    }
  }
  add(1000 * channels, false, true);
  add(1000, false, false);
  return pieces;
}

float* mapped(long count, bool huge, float value) {
  const size_t bytes = (count * sizeof(float) + (2u << 20) - 1) & ~size_t((2u << 20) - 1);
  void* memory = aligned_alloc(2u << 20, bytes);
  if (!memory) {
    fprintf(stderr, "no memory for %zu bytes\n", bytes);
    exit(3);
  }
  madvise(memory, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  float* array = static_cast<float*>(memory);
#pragma omp parallel for schedule(static)
  for (long i = 0; i < count; i++) array[i] = value;
  return array;
}

struct Arrays {
  float *p, *g, *k, *m, *v;
  long count;
  bool huge;
  Arrays(long n, bool huge_pages) : count(n), huge(huge_pages) {
    p = mapped(n, huge, 0.5f);
    g = mapped(n, huge, 1e-3f);
    k = mapped(n, huge, 1.0f);  // so that a gradient that is multiplied in place stays what it is
    m = mapped(n, huge, 1e-3f);
    v = mapped(n, huge, 1e-6f);
  }
  ~Arrays() {
    for (float* array : {p, g, k, m, v}) free(array);
  }
};

// ---- the limits: flat arrays, next to no arithmetic

void sgd_limit(const Arrays& a, long from, long to, bool mask) {
  float *__restrict p = a.p, *__restrict m = a.m;
  const float *__restrict g = a.g, *__restrict k = a.k;
  if (mask) {
#pragma omp parallel for simd schedule(static)
    for (long i = from; i < to; i++) {
      m[i] = kMomentum * m[i] + (k[i] * g[i] + kDecay * p[i]);
      p[i] -= kRate * m[i];
    }
  } else {
#pragma omp parallel for simd schedule(static)
    for (long i = from; i < to; i++) {
      m[i] = kMomentum * m[i] + (g[i] + kDecay * p[i]);
      p[i] -= kRate * m[i];
    }
  }
}

void adamw_limit(const Arrays& a, long from, long to, bool mask) {
  float *__restrict p = a.p, *__restrict m = a.m, *__restrict v = a.v;
  const float *__restrict g = a.g, *__restrict k = a.k;
  if (mask) {
#pragma omp parallel for simd schedule(static)
    for (long i = from; i < to; i++) {
      m[i] = kMomentum * m[i] + k[i] * g[i];
      v[i] = kBeta2 * v[i] + g[i] * g[i];
      p[i] -= kRate * (m[i] + v[i]);
    }
  } else {
#pragma omp parallel for simd schedule(static)
    for (long i = from; i < to; i++) {
      m[i] = kMomentum * m[i] + g[i];
      v[i] = kBeta2 * v[i] + g[i] * g[i];
      p[i] -= kRate * (m[i] + v[i]);
    }
  }
}

// ---- one loop a tensor, with a dense mask

void sgd_loops(const Arrays& a, const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    float *__restrict p = a.p + piece.begin, *__restrict m = a.m + piece.begin;
    const float *__restrict g = a.g + piece.begin, *__restrict k = a.k + piece.begin;
    const float decay = piece.decayed ? kDecay : 0;
    const bool mask = piece.masked;
#pragma omp parallel for simd schedule(static) if (piece.count >= kAlone)
    for (long i = 0; i < piece.count; i++) {
      const float d = (mask ? k[i] * g[i] : g[i]) + decay * p[i];
      m[i] = kMomentum * m[i] + d;
      p[i] -= kRate * (d + kMomentum * m[i]);
    }
  }
}

void adamw_loops(const Arrays& a, const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    float *__restrict p = a.p + piece.begin, *__restrict m = a.m + piece.begin, *__restrict v = a.v + piece.begin;
    const float *__restrict g = a.g + piece.begin, *__restrict k = a.k + piece.begin;
    const float keep = 1 - kRate * (piece.decayed ? kDecay : 0);
    const bool mask = piece.masked;
#pragma omp parallel for simd schedule(static) if (piece.count >= kAlone)
    for (long i = 0; i < piece.count; i++) {
      const float scale = mask ? k[i] : 1.0f;
      const float d = scale * g[i];
      m[i] = kMomentum * m[i] + (1 - kMomentum) * d;
      v[i] = kBeta2 * v[i] + (1 - kBeta2) * d * d;
      p[i] = keep * p[i] - kRate * scale * m[i] / (std::sqrt(v[i]) + kEps);
    }
  }
}

// ---- a pass for each operation; results that are not written in place are fresh memory

// Each thread has its own copy of the operation, so that a store cannot be taken to change the operation's pointers.
template <class F>
void each(long count, F f) {
#pragma omp parallel if (count >= kAlone)
  {
    const F mine = f;
#pragma omp for simd schedule(static)
    for (long i = 0; i < count; i++) mine(i);
  }
}

struct Fresh {
  float* data;
  explicit Fresh(long count) : data(static_cast<float*>(malloc(count * sizeof(float)))) {}
  ~Fresh() { free(data); }
};

void sgd_passes(const Arrays& a, const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    float *p = a.p + piece.begin, *m = a.m + piece.begin, *g = a.g + piece.begin, *k = a.k + piece.begin;
    const long n = piece.count;
    Fresh product(piece.masked ? n : 0);
    float* d = g;
    if (piece.masked) {
      d = product.data;
      each(n, [=](long i) { d[i] = g[i] * k[i]; });
    }
    if (piece.decayed && piece.masked) each(n, [=](long i) { d[i] += kDecay * p[i]; });
    each(n, [=](long i) { m[i] *= kMomentum; });
    each(n, [=](long i) { m[i] += d[i]; });
    Fresh scaled(n), step(n);
    float *s = scaled.data, *t = step.data;
    each(n, [=](long i) { s[i] = m[i] * kMomentum; });
    each(n, [=](long i) { t[i] = d[i] + s[i]; });
    each(n, [=](long i) { p[i] -= kRate * t[i]; });
  }
}

void adamw_passes(const Arrays& a, const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    float *p = a.p + piece.begin, *m = a.m + piece.begin, *v = a.v + piece.begin, *g = a.g + piece.begin, *k = a.k + piece.begin;
    const long n = piece.count;
    Fresh numerator(piece.masked ? n : 0);
    float* top = m;
    if (piece.masked) each(n, [=](long i) { g[i] *= k[i]; });
    if (piece.decayed) each(n, [=](long i) { p[i] *= 1 - kRate * kDecay; });
    each(n, [=](long i) { m[i] *= kMomentum; });
    each(n, [=](long i) { m[i] += (1 - kMomentum) * g[i]; });
    each(n, [=](long i) { v[i] *= kBeta2; });
    each(n, [=](long i) { v[i] += (1 - kBeta2) * g[i] * g[i]; });
    Fresh root(n), quotient(n);
    float *r = root.data, *q = quotient.data;
    each(n, [=](long i) { r[i] = std::sqrt(v[i]); });
    each(n, [=](long i) { q[i] = r[i] / 0.9f; });
    each(n, [=](long i) { q[i] += kEps; });
    if (piece.masked) {
      top = numerator.data;
      each(n, [=](long i) { top[i] = m[i] * k[i]; });
    }
    each(n, [=](long i) { p[i] -= kRate * top[i] / q[i]; });
  }
}

// ---- times

double quantile(std::vector<double> sorted, double share) {
  std::sort(sorted.begin(), sorted.end());
  const double place = share * (sorted.size() - 1);
  const size_t below = size_t(place), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

struct Row {
  std::string name;
  bool huge;
  long bytes;  // that must move; 0 where the count is no aim
  std::function<void()> run;
  std::vector<double> milliseconds;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || atoi(argv[1]) < 1 || atoi(argv[2]) < 1) {
    fprintf(stderr, "usage: baseline ROUNDS THREADS\n");
    return 2;
  }
  const int rounds = atoi(argv[1]);
  omp_set_num_threads(atoi(argv[2]));
  const std::vector<Piece> pieces = b1();
  const long count = pieces.back().begin + pieces.back().count;
  long masked = 0;
  for (const Piece& piece : pieces) masked += piece.masked ? piece.count : 0;

  printf("{\n  \"elements\": %ld,\n  \"masked_elements\": %ld,\n  \"threads\": %d,\n  \"rounds\": %d,\n  \"rows\": [\n", count, masked,
         atoi(argv[2]), rounds);
  bool first = true;
  for (bool huge : {false, true}) {
    Arrays a(count, huge);
    // The order in which a file of parameters and masks lies in memory is of no matter: the masked ones are taken first.
    std::vector<Row> rows = {
        {"sgd limit with a dense mask", huge, 4 * (5 * count + masked), [&] { sgd_limit(a, 0, masked, true); sgd_limit(a, masked, count, false); }, {}},
        {"sgd limit", huge, 4 * 5 * count, [&] { sgd_limit(a, 0, count, false); }, {}},
        {"sgd one loop a tensor, dense mask", huge, 4 * (5 * count + masked), [&] { sgd_loops(a, pieces); }, {}},
        {"sgd one pass an operation, dense mask", huge, 0, [&] { sgd_passes(a, pieces); }, {}},
        {"adamw limit with a dense mask", huge, 4 * (7 * count + masked), [&] { adamw_limit(a, 0, masked, true); adamw_limit(a, masked, count, false); }, {}},
        {"adamw limit", huge, 4 * 7 * count, [&] { adamw_limit(a, 0, count, false); }, {}},
        {"adamw one loop a tensor, dense mask", huge, 4 * (7 * count + masked), [&] { adamw_loops(a, pieces); }, {}},
        {"adamw one pass an operation, dense mask", huge, 0, [&] { adamw_passes(a, pieces); }, {}},
    };
    for (int round = -1; round < rounds; round++) {
      for (Row& row : rows) {
        const auto begin = std::chrono::steady_clock::now();
        row.run();
        const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
        if (round >= 0) row.milliseconds.push_back(took.count());
      }
    }
    for (const Row& row : rows) {
      const double median = quantile(row.milliseconds, 0.5);
      printf("%s    {\"name\": \"%s\", \"huge_pages\": %s, \"median\": %.4f, \"lower_quartile\": %.4f, \"upper_quartile\": %.4f, \"fastest\": %.4f, \"gigabytes_per_second\": %.2f}",
             first ? "" : ",\n", row.name.c_str(), row.huge ? "true" : "false", median, quantile(row.milliseconds, 0.25),
             quantile(row.milliseconds, 0.75), quantile(row.milliseconds, 0), row.bytes / median / 1e6);
      first = false;
    }
  }
  printf("\n  ]\n}\n");
  return 0;
}
