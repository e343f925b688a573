#pragma once
#include <stdint.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "vectors.h"
#include "activation.h"
#include "fetch.h"
#include "workers.h"

#if defined(__x86_64__)
#define G2D_AVX2
#endif

namespace g2d {

/** A window that slides over [height, width, channels]. */
struct Pool {
  int64_t height, width, channels, out_height, out_width;
  int64_t window_height, window_width, stride_height, stride_width, pad_height, pad_width;
};

/** The first window that covers a (padded) position. */
inline int64_t first_window(int64_t position, int64_t window, int64_t stride) {
  return position < window ? 0 : (position - window) / stride + 1;
}

/** Rows with a mean and Σ(x − mean)² of their own join the `count` that mean and m2 stand for (Chan's formula). */
template <typename Value>
inline void merge(int64_t channels, int64_t rows, const Value* other_mean, const Value* other_m2, int64_t count,
                  double* mean, double* m2) {
  const double share = static_cast<double>(rows) / static_cast<double>(count + rows);
  for (int64_t c = 0; c < channels; c++) {
    const double delta = other_mean[c] - mean[c];
    mean[c] += delta * share;
    m2[c] += other_m2[c] + delta * delta * (static_cast<double>(count) * share);
  }
}

/** Where the gradient learns what the activation let through: from x, or from y. */
enum class Gate { kInput, kOutput };

// Eight at a time, on every processor: the compiler splits what is too wide.
typedef float Floats8 __attribute__((vector_size(32)));
typedef int32_t Ints8 __attribute__((vector_size(32)));
typedef uint8_t Bytes8 __attribute__((vector_size(8)));
typedef float Floats1 __attribute__((vector_size(4)));
typedef int32_t Ints1 __attribute__((vector_size(4)));
typedef uint8_t Bytes1 __attribute__((vector_size(1)));

namespace portable {
#define G2D_TARGET static
#include "loops.h"
#undef G2D_TARGET
}  // namespace portable

#ifdef G2D_AVX2
namespace avx2 {
#define G2D_TARGET __attribute__((target("avx2"))) static
#include "loops.h"
#undef G2D_TARGET
}  // namespace avx2
#endif

/** The loops for this processor. */
struct Loops {
#define G2D_LOOPS(apply) \
  apply(moments, moments) apply(normalize, normalize) apply(sums, gradient_sums) apply(input, gradient_input) \
  apply(pool_row, pool_row) apply(pool_gradient_row, pool_gradient_row<false>) \
  apply(max_pool_row, max_pool_row<true>) apply(max_pool_gradient_row, pool_gradient_row<true>) \
  apply(activate, activate) apply(activation_gradient, activation_gradient)
#define G2D_MEMBER(name, loop) decltype(&portable::loop) name = portable::loop;
#define G2D_CHOOSE(name, loop) name = avx2::loop;
  G2D_LOOPS(G2D_MEMBER)

  Loops() {
#ifdef G2D_AVX2
    if (vectors() != Vectors::kNone) {
      G2D_LOOPS(G2D_CHOOSE)
    }
#endif
  }
#undef G2D_LOOPS
#undef G2D_MEMBER
#undef G2D_CHOOSE
};

inline const Loops& loops() {
  static const Loops chosen;
  return chosen;
}

/** What is in the processor's cache anyway need not be asked for. */
inline int64_t ahead_of(int64_t count) { return count > 2'500'000 ? kAhead : 0; }

/** How rows are dealt out: by their number alone, so that results do not depend on the threads. */
struct Parts {
  int64_t rows, block, part, count;

  Parts(int64_t rows, int64_t channels) : rows(rows) {
    // A block stays in a core's cache, and sums over it lose little in float32; a part is worth waking a thread.
    block = std::min<int64_t>(256, std::max<int64_t>(32, 4096 / channels));
    const int64_t blocks = (rows + block - 1) / block;
    const int64_t least = std::max<int64_t>(1, 16384 / (block * channels));
    part = block * std::max(least, (blocks + 63) / 64);
    count = (rows + part - 1) / part;
  }

  template <typename Work>
  void each(Work work) const {
    Workers::get().run(count, [&](int64_t i) { work(i, i * part, std::min(rows, (i + 1) * part)); });
  }
};

/** Mean and Σ(x − mean)² of each channel. */
inline void batch_moments(const float* x, int64_t rows, int64_t channels, double* mean, double* m2) {
  const Parts parts(rows, channels);
  std::vector<double> partial(parts.count * 2 * channels);
  parts.each([&](int64_t i, int64_t from, int64_t to) {
    double* own = partial.data() + i * 2 * channels;
    std::vector<float> scratch(2 * channels);
    for (int64_t r = from; r < to; r += parts.block)
      loops().moments(x + r * channels, std::min(parts.block, to - r), channels, r - from, ahead_of(rows * channels), own,
                      own + channels, scratch.data());
  });
  std::fill(mean, mean + channels, 0);
  std::fill(m2, m2 + channels, 0);
  for (int64_t i = 0; i < parts.count; i++) {
    const double* own = partial.data() + i * 2 * channels;
    const int64_t from = i * parts.part;
    merge(channels, std::min(parts.part, rows - from), own, own + channels, from, mean, m2);
  }
}

/** What normalizes: mean, s = γ/σ, β, and rows × channels. */
struct Affine {
  int64_t rows, channels;
  const float* mean;
  const float* scale;
  const float* beta;
};

inline void batch_normalize(const Affine& n, const float* x, const float* residual, float* y, Activation a) {
  const Parts parts(n.rows, n.channels);
  parts.each([&](int64_t, int64_t from, int64_t to) {
    const int64_t at = from * n.channels;
    loops().normalize(x + at, residual ? residual + at : nullptr, y + at, to - from, n.channels, n.mean, n.scale,
                      n.beta, a);
  });
}

/** Σg and Σg(x − μ) of each channel; see `gradient_sums`. */
inline void batch_gradient_sums(const Affine& n, const float* dy, const float* x, const float* y, float* inner,
                                Gate gate, Activation activation, std::vector<double>& total,
                                std::vector<double>& weighted) {
  const Parts parts(n.rows, n.channels);
  std::vector<double> partial(parts.count * 2 * n.channels);
  parts.each([&](int64_t i, int64_t from, int64_t to) {
    double* own = partial.data() + i * 2 * n.channels;
    std::vector<float> scratch(2 * n.channels);
    for (int64_t r = from; r < to; r += parts.block) {
      const int64_t at = r * n.channels;
      loops().sums(gate, activation, dy + at, x + at, y ? y + at : nullptr, inner ? inner + at : nullptr,
                   std::min(parts.block, to - r), n.channels, ahead_of(n.rows * n.channels), n.mean, n.scale, n.beta, own, own + n.channels,
                   scratch.data());
    }
  });
  total.assign(n.channels, 0);
  weighted.assign(n.channels, 0);
  for (int64_t i = 0; i < parts.count; i++) {
    const double* own = partial.data() + i * 2 * n.channels;
    for (int64_t c = 0; c < n.channels; c++) {
      total[c] += own[c];
      weighted[c] += own[n.channels + c];
    }
  }
}

inline void batch_gradient_input(const Affine& n, const float* dy, const float* x, float* dx, const float* a,
                                 const float* b, Activation activation) {
  const Parts parts(n.rows, n.channels);
  parts.each([&](int64_t, int64_t from, int64_t to) {
    const int64_t at = from * n.channels;
    loops().input(activation, dy + at, x + at, dx + at, to - from, n.channels, ahead_of(n.rows * n.channels), n.mean,
                  n.scale, n.beta, a, b);
  });
}

inline void batch_pool(const Affine& n, const Pool& p, int64_t images, const float* x, float* y, float* winner,
                       uint8_t* place) {
  std::vector<float> sign(p.channels);
  for (int64_t c = 0; c < p.channels; c++) sign[c] = static_cast<float>((n.scale[c] > 0) - (n.scale[c] < 0));
  Workers::get().run(images * p.out_height, [&](int64_t i) {
    const int64_t image = i / p.out_height;
    const int64_t at = i * p.out_width * p.channels;
    loops().pool_row(x + image * p.height * p.width * p.channels, p, i % p.out_height, n.mean, n.scale, n.beta,
                     sign.data(), y + at, winner + at, place + at);
  });
}

inline void batch_pool_gradient(const Affine& n, const Pool& p, int64_t images, const float* dy, const float* winner,
                                const uint8_t* place, const float* x, float* dx, const float* a, const float* b) {
  Workers::get().run(images * p.height, [&](int64_t i) {
    const int64_t windows = i / p.height * p.out_height * p.out_width * p.channels;
    const int64_t at = i * p.width * p.channels;
    std::vector<float> scratch(p.channels);
    loops().pool_gradient_row(dy + windows, winner + windows, place + windows, x + at, dx + at, p, i % p.height,
                              n.mean, n.scale, n.beta, a, b, scratch.data());
  });
}

inline void max_pool(const Pool& p, int64_t images, const float* x, float* y, uint8_t* place) {
  Workers::get().run(images * p.out_height, [&](int64_t i) {
    const int64_t image = i / p.out_height;
    const int64_t at = i * p.out_width * p.channels;
    loops().max_pool_row(x + image * p.height * p.width * p.channels, p, i % p.out_height, nullptr, y + at, place + at);
  });
}

inline void max_pool_gradient(const Pool& p, int64_t images, const float* dy, const uint8_t* place, float* dx) {
  Workers::get().run(images * p.height, [&](int64_t i) {
    const int64_t windows = i / p.height * p.out_height * p.out_width * p.channels;
    loops().max_pool_gradient_row(dy + windows, nullptr, place + windows, nullptr, dx + i * p.width * p.channels, p,
                                  i % p.height, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
  });
}

/** Values that a thread takes at once: a multiple of a group of random words. */
constexpr int64_t kPart = 16384;

/** Any number of values, in parts that are worth waking a thread: which part it is, where it begins, how many. */
template <typename Work>
void each_part(int64_t count, Work work) {
  Workers::get().run((count + kPart - 1) / kPart, [&](int64_t i) { work(i, i * kPart, std::min(kPart, count - i * kPart)); });
}

inline void activate(Activation a, const float* x, float* y, int64_t count) {
  each_part(count, [&](int64_t, int64_t at, int64_t size) { loops().activate(a, x + at, y + at, size); });
}

inline void activation_gradient(Activation a, const float* dy, const float* y, float* dx, int64_t count) {
  each_part(count, [&](int64_t, int64_t at, int64_t size) {
    loops().activation_gradient(a, dy + at, y + at, dx + at, size);
  });
}

}  // namespace g2d
