#pragma once
// Operations on rows of values: dropout, layer normalization, noise. Dealt out by shape, never by the number of threads.
#include "batch-norm.h"

namespace g2d {

typedef uint32_t Words8 __attribute__((vector_size(32)));

/** Which values of a stream dropout keeps: those whose word is at least the threshold; they are multiplied by the factor. */
struct Draw {
  uint32_t threshold = 0;
  float factor = 1;
  uint32_t seed = 0;
  /** Values of the stream before the first one here. */
  int64_t before = 0;
};

struct LayerNorm {
  int64_t rows, channels;
  const float* gamma;
  const float* beta;
  float epsilon;
  /** Of the summand; a threshold of 0 is none. */
  Draw draw;
};

namespace portable {
#define G2D_TARGET static
#include "row-loops.h"
#undef G2D_TARGET
}  // namespace portable

#ifdef G2D_AVX2
namespace avx2 {
#define G2D_TARGET __attribute__((target("avx2"))) static
#include "row-loops.h"
#undef G2D_TARGET
}  // namespace avx2
#endif

/** The loops for this processor. */
struct RowLoops {
#define G2D_LOOPS(apply) \
  apply(factors) apply(dropout) apply(layer_norm) apply(layer_norm_gradient) apply(softmax_row) \
  apply(multiply_row) apply(softmax_gradient_row) apply(spread) apply(add_noise)
#define G2D_MEMBER(name) decltype(&portable::name) name = portable::name;
#define G2D_CHOOSE(name) name = avx2::name;
  G2D_LOOPS(G2D_MEMBER)

  RowLoops() {
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

inline const RowLoops& row_loops() {
  static const RowLoops chosen;
  return chosen;
}

inline void dropout(const float* x, const Draw& draw, int64_t count, float* y) {
  each_part(count, [&](int64_t, int64_t from, int64_t size) {
    row_loops().dropout(x + from, draw, from, size, y + from);
  });
}

inline void layer_norm(const LayerNorm& n, const float* x, const float* residual, float* sum, float* y, float* mean,
                       float* inverse) {
  const Parts parts(n.rows, n.channels);
  parts.each([&](int64_t, int64_t from, int64_t to) {
    std::vector<float> scratch(n.channels);
    row_loops().layer_norm(n, x, residual, from, to - from, sum, y, mean, inverse, scratch.data());
  });
}

inline void layer_norm_gradient(const LayerNorm& n, const float* sum, const float* dy, const float* mean,
                                const float* inverse, float* ds, float* dx, float* dgamma, float* dbeta) {
  const Parts parts(n.rows, n.channels);
  std::vector<double> partial(parts.count * 2 * n.channels);
  parts.each([&](int64_t i, int64_t from, int64_t to) {
    double* own = partial.data() + i * 2 * n.channels;
    std::vector<float> scratch(4 * n.channels);
    for (int64_t r = from; r < to; r += parts.block)
      row_loops().layer_norm_gradient(n, sum, dy, mean, inverse, r, std::min(parts.block, to - r), ds, dx, own,
                                      own + n.channels, scratch.data());
  });
  std::vector<double> totals(2 * n.channels);
  for (int64_t i = 0; i < parts.count; i++)
    for (int64_t c = 0; c < 2 * n.channels; c++) totals[c] += partial[i * 2 * n.channels + c];
  for (int64_t c = 0; c < n.channels; c++) {
    dgamma[c] = static_cast<float>(totals[c]);
    dbeta[c] = static_cast<float>(totals[n.channels + c]);
  }
}

/** κ x + (s + 1e-8) n, with s² the unbiased variance of x and n standard normal. */
inline void gradient_noise(const float* x, int64_t count, uint32_t seed, float coefficient, float* y) {
  const int64_t parts = (count + kPart - 1) / kPart;
  std::vector<double> means(parts), squares(parts);
  each_part(count, [&](int64_t i, int64_t from, int64_t size) {
    row_loops().spread(x + from, size, 0, &means[i], &squares[i]);
  });
  double mean = 0, m2 = 0;
  for (int64_t i = 0; i < parts; i++)
    merge(1, std::min(kPart, count - i * kPart), &means[i], &squares[i], i * kPart, &mean, &m2);
  const double deviation = std::sqrt(m2 / static_cast<double>(std::max<int64_t>(1, count - 1))) + 1e-8;
  each_part(count, [&](int64_t, int64_t from, int64_t size) {
    row_loops().add_noise(x + from, from, size, seed, coefficient, static_cast<float>(deviation), y + from);
  });
}

}  // namespace g2d
