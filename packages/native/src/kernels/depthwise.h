#pragma once
// Convolution of each channel by itself, [B, H, W, C] * [k, k, C]: few multiplications for each value that is read, so what counts is
// that memory is gone through once, in order.
#include "batch-norm.h"

namespace g2d {

constexpr int kMaxTaps = 49;

struct Depthwise {
  int64_t batch, height, width, channels, window;
  int64_t stride_height, stride_width, top, bottom, left, right;
  int64_t out_height = 0, out_width = 0;

  /** Whether there are loops for it; then the outputs' size is known. */
  bool fits() {
    const auto outputs = [&](int64_t size, int64_t before, int64_t after, int64_t stride) {
      const bool sane = stride > 0 && before >= 0 && after >= 0 && before < window && after < window && size > 0;
      return sane && size + before + after >= window ? (size + before + after - window) / stride + 1 : 0;
    };
    out_height = outputs(height, top, bottom, stride_height);
    out_width = outputs(width, left, right, stride_width);
    return (window == 3 || window == 5 || window == 7) && batch > 0 && channels > 0 && out_height > 0 && out_width > 0;
  }

  int64_t image() const { return height * width * channels; }
  int64_t outputs() const { return out_height * out_width * channels; }
};

namespace portable {
#define G2D_TARGET static
#include "depthwise-loops.h"
#undef G2D_TARGET
}  // namespace portable

#ifdef G2D_AVX2
namespace avx2 {
#define G2D_TARGET __attribute__((target("avx2"))) static
#include "depthwise-loops.h"
#undef G2D_TARGET
}  // namespace avx2
#endif

/** The loops for this processor. */
struct DepthwiseLoops {
  decltype(&portable::depthwise_row) row = portable::depthwise_row;
  decltype(&portable::depthwise_image_row) image_row = portable::depthwise_image_row;
  decltype(&portable::depthwise_filter_row) filter_row = portable::depthwise_filter_row;

  DepthwiseLoops() {
#ifdef G2D_AVX2
    if (vectors() == Vectors::kNone) return;
    row = avx2::depthwise_row;
    image_row = avx2::depthwise_image_row;
    filter_row = avx2::depthwise_filter_row;
#endif
  }
};

inline const DepthwiseLoops& depthwise_loops() {
  static const DepthwiseLoops chosen;
  return chosen;
}

inline void depthwise_convolve(const Depthwise& d, const float* x, const float* w, const float* bias, Activation a,
                               float* y) {
  Workers::get().run(d.batch * d.out_height, [&](int64_t i) {
    float* row = y + i * d.out_width * d.channels;
    depthwise_loops().row(d, x + i / d.out_height * d.image(), w, bias, i % d.out_height, row);
    if (bend(a) != Bend::kNone) loops().activate(a, row, row, d.out_width * d.channels);
  });
}

inline void depthwise_gradient_image(const Depthwise& d, const float* w, const float* dy, float* dx) {
  Workers::get().run(d.batch * d.height, [&](int64_t i) {
    depthwise_loops().image_row(d, w, dy + i / d.height * d.outputs(), i % d.height, dx + i * d.width * d.channels);
  });
}

inline void depthwise_gradient_filter(const Depthwise& d, const float* x, const float* dy, float* dw) {
  // Dealt out by the shape alone, so that the sums do not depend on the threads.
  const int64_t rows = d.batch * d.out_height, taps = d.window * d.window * d.channels;
  const int64_t least = std::max<int64_t>(1, 16384 / (d.out_width * d.channels));
  const int64_t part = std::max(least, (rows + 31) / 32), count = (rows + part - 1) / part;
  std::vector<double> partial(count * taps);
  const std::vector<float> zeros(d.width * d.channels);
  Workers::get().run(count, [&](int64_t i) {
    for (int64_t r = i * part; r < std::min(rows, (i + 1) * part); r++)
      depthwise_loops().filter_row(d, x + r / d.out_height * d.image(), zeros.data(),
                                   dy + r * d.out_width * d.channels, r % d.out_height, partial.data() + i * taps);
  });
  for (int64_t t = 0; t < taps; t++) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += partial[i * taps + t];
    dw[t] = static_cast<float>(sum);
  }
}

}  // namespace g2d
