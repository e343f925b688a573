#pragma once
// Convolution as one product for each tap of its window: the rows of the image that the tap meets, times the tap's matrix, added
// to the rows of the result. Nothing is multiplied with the zeros around the image.
#include <stdint.h>

#include <algorithm>
#include <vector>

#include "product.h"

namespace g2d {

/** [B, H, W, C] * [h, w, C, K] → [B, H′, W′, K], with zeros around the image. */
struct TapConvolution {
  int64_t batch, height, width, in, out;
  int64_t window[2], strides[2], padding[2];
  /** Of the products. */
  bool bfloat16 = false;

  int64_t out_size(int axis) const {
    const int64_t room = (axis == 0 ? height : width) + 2 * padding[axis] - window[axis];
    return room < 0 ? 0 : room / strides[axis] + 1;
  }
  int64_t out_rows() const { return batch * out_size(0) * out_size(1); }
  int64_t taps() const { return window[0] * window[1]; }
  /** One tap that meets each place of the image once and in order: the images themselves are the matrices. */
  bool is_plain() const {
    return taps() == 1 && strides[0] == 1 && strides[1] == 1 && padding[0] == 0 && padding[1] == 0;
  }
};

/** The places of the image and of the result that a tap connects, one behind the other. */
struct TapRows {
  std::vector<int64_t> image, result;

  void find(const TapConvolution& c, int64_t tap) {
    image.clear();
    result.clear();
    const int64_t high = c.out_size(0), wide = c.out_size(1);
    const int64_t down = tap / c.window[1] - c.padding[0], right = tap % c.window[1] - c.padding[1];
    for (int64_t b = 0; b < c.batch; b++)
      for (int64_t i = 0; i < high; i++) {
        const int64_t row = i * c.strides[0] + down;
        if (row < 0 || row >= c.height) continue;
        for (int64_t j = 0; j < wide; j++) {
          const int64_t column = j * c.strides[1] + right;
          if (column < 0 || column >= c.width) continue;
          image.push_back((b * c.height + row) * c.width + column);
          result.push_back((b * high + i) * wide + j);
        }
      }
  }
};

template <typename Float>
inline void places(const std::vector<int64_t>& rows, Float* data, int64_t channels, std::vector<Float*>& table) {
  table.clear();
  for (const int64_t row : rows) table.push_back(data + row * channels);
}

/** Sets to zero what the products are added to. */
inline void clear(float* data, int64_t count) {
  constexpr int64_t kEach = 1 << 18;
  Workers::get().run(parts_of(count, kEach), [&](int64_t part) {
    std::fill(data + part * kEach, data + std::min(count, (part + 1) * kEach), 0.0f);
  });
}

/** Products from the rows `from` of one side to the rows `to` of the other, by each tap's matrix or its transpose. */
inline void convolve_by_taps(const TapConvolution& c, const float* x, const float* w, float* y, bool gradient) {
  const int64_t source = gradient ? c.out : c.in, target = gradient ? c.in : c.out;
  const auto matrix = [&](int64_t tap) { return Operand{{w + tap * c.in * c.out, c.out}, gradient}; };
  if (c.is_plain()) {
    const int64_t rows = c.out_rows();
    Product p{rows, target, source, {{x, source}, true}, matrix(0), {y, target}};
    p.bfloat16 = c.bfloat16;
    product(p);
    return;
  }
  clear(y, (gradient ? c.batch * c.height * c.width : c.out_rows()) * target);
  TapRows rows;
  std::vector<const float*> from;
  std::vector<float*> to;
  for (int64_t tap = 0; tap < c.taps(); tap++) {
    rows.find(c, tap);
    places(gradient ? rows.result : rows.image, x, source, from);
    places(gradient ? rows.image : rows.result, y, target, to);
    Product p{static_cast<int64_t>(to.size()), target, source, {{nullptr, 0, from.data()}, true}, matrix(tap),
              {nullptr, 0, to.data()}};
    p.add = true;
    p.bfloat16 = c.bfloat16;
    product(p);
  }
}

/** The gradient with respect to the taps. */
inline void gradient_of_taps(const TapConvolution& c, const float* x, const float* dy, float* dw) {
  if (c.is_plain()) {
    Product p{c.in, c.out, c.out_rows(), {{x, c.in}, false}, {{dy, c.out}, false}, {dw, c.out}};
    p.bfloat16 = c.bfloat16;
    product(p);
    return;
  }
  TapRows rows;
  std::vector<const float*> image, result;
  for (int64_t tap = 0; tap < c.taps(); tap++) {
    rows.find(c, tap);
    places(rows.image, x, c.in, image);
    places(rows.result, dy, c.out, result);
    Product p{c.in, c.out, static_cast<int64_t>(image.size()), {{nullptr, 0, image.data()}, false},
              {{nullptr, 0, result.data()}, false}, {dw + tap * c.in * c.out, c.out}};
    p.bfloat16 = c.bfloat16;
    product(p);
  }
}

}  // namespace g2d
