#pragma once
// Convolution of images of few channels, as the first layer's: the values that one row of a window meets lie side by side, and those of the
// next window a stride further on. So each row of a window is a product of the image as it lies, without copies of it for every place.
#include <cstring>

#include "tap-convolution.h"

namespace g2d {

/** The sums of the filter's gradient stay in a core's cache. */
constexpr int64_t kMostFilters = 1024;

/** Whether a row of windows is worth it: few channels in, whole panels out. */
inline bool fits_windows(const TapConvolution& c) {
  const int64_t panel = panel_loops().panel;
  return panel > 0 && c.in < 16 && c.taps() > 1 && c.window[1] * c.in >= 7 && c.window[0] <= 16 && c.out % panel == 0 &&
         c.out <= kMostFilters;
}

/** The rows of the image that one row of windows meets, with zeros around, one behind the other: [h, W + 2 padding, C]. */
inline void gather_rows(const TapConvolution& c, const float* x, int64_t image, int64_t row, float* to) {
  const int64_t line = (c.width + 2 * c.padding[1]) * c.in, before = c.padding[1] * c.in, inside = c.width * c.in;
  for (int64_t i = 0; i < c.window[0]; i++, to += line) {
    const int64_t h = row * c.strides[0] - c.padding[0] + i;
    if (h < 0 || h >= c.height) {
      std::fill(to, to + line, 0.0f);
      continue;
    }
    std::fill(to, to + before, 0.0f);
    std::memcpy(to + before, x + (image * c.height + h) * inside, inside * sizeof(float));
    std::fill(to + before + inside, to + line, 0.0f);
  }
}

/** y = x * w, in rows of windows. */
inline void convolve_windows(const TapConvolution& c, const float* x, const float* w, float* y) {
  const PanelLoops& loops = panel_loops();
  const int64_t high = c.out_size(0), wide = c.out_size(1), line = (c.width + 2 * c.padding[1]) * c.in;
  Workers::get().run(c.batch * high, [&](int64_t part) {
    float* rows = part_scratch().get(c.window[0] * line);
    gather_rows(c, x, part / high, part % high, rows);
    for (int64_t k = 0; k < c.out; k += loops.panel)
      loops.windows(rows, line, c.strides[1] * c.in, w + k, c.out, y + part * wide * c.out + k, wide, c.window[0],
                    c.window[1] * c.in);
  });
}

/** The gradient with respect to the taps: sums over rows of windows, in as many parts as the shape says. */
inline void gradient_of_windows(const TapConvolution& c, const float* x, const float* dy, float* dw) {
  const PanelLoops& loops = panel_loops();
  const int64_t high = c.out_size(0), wide = c.out_size(1), line = (c.width + 2 * c.padding[1]) * c.in;
  const int64_t depth = c.window[1] * c.in, size = c.window[0] * depth * c.out, all = c.batch * high;
  const int64_t each = std::max<int64_t>(8, parts_of(all, 64)), ranges = parts_of(all, each);
  float* sums = call_scratch().get(ranges * size);
  Workers::get().run(ranges, [&](int64_t range) {
    float* own = sums + range * size;
    float* rows = part_scratch().get(c.window[0] * line);
    std::fill(own, own + size, 0.0f);
    for (int64_t part = range * each; part < std::min(all, (range + 1) * each); part++) {
      gather_rows(c, x, part / high, part % high, rows);
      const float* from = dy + part * wide * c.out;
      for (int64_t i = 0; i < c.window[0]; i++) {
        // The next row's share comes from memory meanwhile.
        const int64_t share = wide * c.out / c.window[0];
        if (part + 1 < all) fetch(from + wide * c.out + i * share, share);
        for (int64_t k = 0; k < c.out; k += loops.panel)
          loops.tall_product(rows + i * line, c.strides[1] * c.in, from + k, c.out, own + i * depth * c.out + k, c.out,
                             depth, wide);
      }
    }
  });
  add_up(sums, ranges, size, dw);
}

}  // namespace g2d
