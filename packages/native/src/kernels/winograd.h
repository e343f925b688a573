#pragma once
// Convolution of 3 × 3 taps and stride 1 by Winograd's F(2 × 2, 3 × 3): 16 multiplications for four outputs in place of 36
// (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016).
#include <stdint.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "scratch.h"
#include "vector-loops.h"
#include "workers.h"

namespace g2d {

/**
 * The loops for this processor. Both sets give the same bits: a sum has one order, products are fused multiply-adds, and
 * nothing else is.
 */
struct WinogradLoops {
  /** Columns of a panel; 0 without loops. */
  int64_t panel = 0;
  void (*transform_image)(const float* const*, int64_t, float*, int64_t) = nullptr;
  void (*spread_image)(const float* const*, int64_t, float*, int64_t) = nullptr;
  void (*restore_image)(const float*, int64_t, int64_t, const float*, float* const*) = nullptr;
  void (*transform_filter)(const float* const*, float*, int64_t) = nullptr;
  void (*restore_filter)(const float*, int64_t, int64_t, float*, int64_t) = nullptr;
  void (*product)(const float*, int64_t, const float*, int64_t, float*, int64_t, int64_t, int64_t) = nullptr;
  void (*tall_product)(const float*, int64_t, const float*, int64_t, float*, int64_t, int64_t, int64_t) = nullptr;

  WinogradLoops() {
#if defined(__x86_64__)
#define G2D_CHOOSE(set)                          \
  panel = set::kPanel;                           \
  transform_image = set::transform_image;        \
  spread_image = set::spread_image;              \
  restore_image = set::restore_image;            \
  transform_filter = set::transform_filter;      \
  restore_filter = set::restore_filter;          \
  product = set::product<false>;          \
  tall_product = set::product<true>;
    if (vectors() == Vectors::kAvx512) {
      G2D_CHOOSE(avx512)
    } else if (vectors() == Vectors::kAvx2) {
      G2D_CHOOSE(avx2)
    }
#undef G2D_CHOOSE
#endif
  }
};

inline const WinogradLoops& winograd_loops() {
  static const WinogradLoops chosen;
  return chosen;
}

// The taps of so many, transformed, take 105 MB.
constexpr int64_t kMaxChannels = 1024;
alignas(64) const float kZeros[kMaxChannels] = {};

/** [B, H, W, C] → [B, H′, W′, K], with zeros around the image. */
struct Convolution {
  int64_t batch, height, width, in, out, pad_height, pad_width;
  int64_t out_height() const { return height + 2 * pad_height - 2; }
  int64_t out_width() const { return width + 2 * pad_width - 2; }
  int64_t tiles_high() const { return (out_height() + 1) / 2; }
  int64_t tiles_wide() const { return (out_width() + 1) / 2; }
  int64_t tiles() const { return batch * tiles_high() * tiles_wide(); }
  bool fits() const {
    const auto padding = [](int64_t zeros) { return zeros >= 0 && zeros <= 2; };
    const auto channels = [](int64_t count) { return count > 0 && count % 32 == 0 && count <= kMaxChannels; };
    return padding(pad_height) && padding(pad_width) && channels(in) && channels(out) && height > 0 && width > 0 &&
           out_height() > 0 && out_width() > 0;
  }
  /** That of the gradient with respect to the image. */
  Convolution transposed() const {
    return {batch, out_height(), out_width(), out, in, 2 - pad_height, 2 - pad_width};
  }
};

/** Where a tile lies: image, and its first output's row and column. */
struct Tile {
  int64_t image, row, column;
  Tile(const Convolution& c, int64_t index) {
    const int64_t wide = c.tiles_wide(), each = wide * c.tiles_high();
    image = index / each;
    row = index % each / wide * 2;
    column = index % wide * 2;
  }
};

/** [B, height, width, channels]. */
template <typename Float>
struct Images {
  Float* data;
  int64_t height, width, channels;
  /** Null outside of the image. */
  Float* at(int64_t image, int64_t row, int64_t column) const {
    const bool inside = row >= 0 && row < height && column >= 0 && column < width;
    return inside ? data + ((image * height + row) * width + column) * channels : nullptr;
  }
};

/** The window of size × size places from (row, column) on; zeros outside of the image. */
template <int size>
inline void window(const Images<const float>& images, int64_t image, int64_t row, int64_t column, const float** taps) {
  for (int i = 0; i < size; i++)
    for (int j = 0; j < size; j++) {
      const float* place = images.at(image, row + i, column + j);
      *taps++ = place ? place : kZeros;
    }
}

/**
 * Asks for a window that will be needed: it comes from memory while other tiles are multiplied. Of a large window two columns: the others are
 * those of the tiles beside it.
 */
template <int size, int write, typename Float>
inline void fetch_window(const Images<Float>& images, int64_t image, int64_t row, int64_t column, int64_t channels) {
  for (int i = 0; i < size; i++)
    for (int j = size / 2 - 1; j < size / 2 + 1; j++) {
      const Float* place = images.at(image, row + i, column + j);
      if (!place) continue;
      for (int64_t c = 0; c < channels; c += 16) __builtin_prefetch(place + c, write);
    }
}

/** 16 floats more than the power of two that channels often are, so that rows do not compete for cache lines. */
inline int64_t padded(int64_t channels) { return channels + 16; }

inline void transpose_4_by_4(const float* from, int64_t from_row, float* to, int64_t to_row) {
#if defined(__x86_64__)
  __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + from_row);
  __m128 c = _mm_loadu_ps(from + 2 * from_row), d = _mm_loadu_ps(from + 3 * from_row);
  _MM_TRANSPOSE4_PS(a, b, c, d);
  _mm_storeu_ps(to, a);
  _mm_storeu_ps(to + to_row, b);
  _mm_storeu_ps(to + 2 * to_row, c);
  _mm_storeu_ps(to + 3 * to_row, d);
#else
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) to[j * to_row + i] = from[i * from_row + j];
#endif
}

/** Channels of the taps that are transformed at once. */
constexpr int64_t kTapBlock = 32;

/** u [16, out / panel, in, panel] from w [3, 3, in, out]. */
inline void winograd_filter(const float* w, int64_t in, int64_t out, float* u) {
  const auto& loops = winograd_loops();
  const int64_t panels = out / loops.panel;
  Workers::get().run(panels * (in / kTapBlock), [&](int64_t part) {
    const int64_t panel = part % panels, from = part / panels * kTapBlock;
    for (int64_t c = from; c < from + kTapBlock; c++) {
      const float* taps[9];
      for (int tap = 0; tap < 9; tap++) taps[tap] = w + (tap * in + c) * out + panel * loops.panel;
      loops.transform_filter(taps, u + (panel * in + c) * loops.panel, in * out);
    }
  });
}

/** That of the image's gradient, u [16, in / panel, out, panel]: inputs and outputs exchanged, and turned by 180 degrees. */
inline void winograd_turned_filter(const float* w, int64_t in, int64_t out, float* u) {
  const auto& loops = winograd_loops();
  const int64_t panels = in / loops.panel, size = kTapBlock * loops.panel;
  Workers::get().run(panels * (out / kTapBlock), [&](int64_t part) {
    const int64_t panel = part % panels, from = part / panels * kTapBlock;
    float* exchanged = part_scratch().get(9 * size);
    for (int tap = 0; tap < 9; tap++) {
      const float* source = w + (tap * in + panel * loops.panel) * out + from;
      for (int64_t row = 0; row < loops.panel; row += 4)
        for (int64_t c = 0; c < kTapBlock; c += 4)
          transpose_4_by_4(source + row * out + c, out, exchanged + tap * size + c * loops.panel + row, loops.panel);
    }
    for (int64_t c = 0; c < kTapBlock; c++) {
      const float* taps[9];
      for (int tap = 0; tap < 9; tap++) taps[tap] = exchanged + (8 - tap) * size + c * loops.panel;
      loops.transform_filter(taps, u + (panel * out + from + c) * loops.panel, in * out);
    }
  });
}

/**
 * How many tiles a part has: few enough to stay in a core's cache beside the taps, more where those do not fit anyway and are
 * read again for each part; and so that no thread waits for a last part that is short.
 */
inline int64_t tiles_of_part(const Convolution& conv) {
  const int64_t most = conv.in * conv.out < 128 * 1024 ? 24 : 72, threads = Workers::get().threads();
  const int64_t rounds = (conv.tiles() + most * threads - 1) / (most * threads);
  return (conv.tiles() + rounds * threads - 1) / (rounds * threads);
}

/** y = x * w + bias, with the taps of w transformed. Each tile is computed alone: the parts change nothing. */
inline void winograd_apply(const Convolution& conv, const float* x, const float* u, const float* bias, float* y) {
  const auto& loops = winograd_loops();
  const int64_t v_row = padded(conv.in), m_row = padded(conv.out);
  const int64_t size = tiles_of_part(conv);
  const int64_t parts = (conv.tiles() + size - 1) / size;
  const Images<const float> images{x, conv.height, conv.width, conv.in};
  const Images<float> results{y, conv.out_height(), conv.out_width(), conv.out};
  Workers::get().run(parts, [&](int64_t part) {
    const int64_t from = part * size, count = std::min(size, conv.tiles() - from);
    const int64_t v_step = size * v_row, m_step = size * m_row;
    float* v = part_scratch().get(16 * (v_step + m_step) + conv.out);
    float* m = v + 16 * v_step;
    float* nowhere = m + 16 * m_step;
    for (int64_t i = 0; i < count; i++) {
      const Tile tile(conv, from + i);
      const float* taps[16];
      window<4>(images, tile.image, tile.row - conv.pad_height, tile.column - conv.pad_width, taps);
      loops.transform_image(taps, conv.in, v + i * v_row, v_step);
    }
    // Most probably the next part of this thread.
    const int64_t next = std::min(conv.tiles(), from + Workers::get().threads() * size);
    const int64_t rest = std::min(size, conv.tiles() - next);
    for (int k = 0; k < 16; k++) {
      for (int64_t i = rest * k / 16; i < rest * (k + 1) / 16; i++) {
        const Tile tile(conv, next + i);
        fetch_window<4, 0>(images, tile.image, tile.row - conv.pad_height, tile.column - conv.pad_width, conv.in);
      }
      for (int64_t i = count * k / 16; i < count * (k + 1) / 16; i++) {
        const Tile tile(conv, from + i);
        fetch_window<2, 1>(results, tile.image, tile.row, tile.column, conv.out);
      }
      for (int64_t c = 0; c < conv.out; c += loops.panel)
        loops.product(v + k * v_step, v_row, u + (k * conv.out + c) * conv.in, loops.panel, m + k * m_step + c, m_row,
                      count, conv.in);
    }
    for (int64_t i = 0; i < count; i++) {
      const Tile tile(conv, from + i);
      float* taps[4];
      for (int k = 0; k < 4; k++) {
        float* place = results.at(tile.image, tile.row + k / 2, tile.column + k % 2);
        taps[k] = place ? place : nowhere;
      }
      loops.restore_image(m + i * m_row, m_step, conv.out, bias, taps);
    }
  });
}

inline void winograd_convolve(const Convolution& conv, const float* x, const float* w, const float* bias, float* y) {
  float* u = call_scratch().get(16 * conv.in * conv.out);
  winograd_filter(w, conv.in, conv.out, u);
  winograd_apply(conv, x, u, bias, y);
}

/** The gradient with respect to the image: a convolution of dy with the taps turned, inputs and outputs exchanged. */
inline void winograd_gradient_image(const Convolution& conv, const float* w, const float* dy, float* dx) {
  float* u = call_scratch().get(16 * conv.in * conv.out);
  winograd_turned_filter(w, conv.in, conv.out, u);
  winograd_apply(conv.transposed(), dy, u, kZeros, dx);
}

/** How many tiles a part of the filter's gradient has in the cache at once. */
constexpr int64_t kFilterTiles = 48;

/** A block of channels of the filter, and some of the tiles. */
struct FilterPart {
  int64_t in, out, ins, outs, tile, tiles;
};

/**
 * Gᵀ (Σ over tiles (Bᵀ d B) (A dy Aᵀ)) G, the adjoint of each step of the convolution, into the part's place in dw
 * [3, 3, C, K]. Everything stays in a core's own cache.
 */
inline void winograd_gradient_filter_part(const Convolution& conv, const float* x, const float* dy,
                                          const FilterPart& part, float* dw) {
  const auto& loops = winograd_loops();
  const int64_t size = kFilterTiles, v_row = padded(part.ins), m_row = padded(part.outs);
  const int64_t v_step = size * v_row, m_step = size * m_row, u_step = part.ins * part.outs;
  float* v = part_scratch().get(16 * (v_step + m_step + u_step));
  float* m = v + 16 * v_step;
  float* u = m + 16 * m_step;
  std::fill(u, u + 16 * u_step, 0.0f);
  const Images<const float> images{x + part.in, conv.height, conv.width, conv.in};
  const Images<const float> gradients{dy + part.out, conv.out_height(), conv.out_width(), conv.out};
  for (int64_t from = part.tile; from < part.tile + part.tiles; from += size) {
    const int64_t count = std::min(size, part.tile + part.tiles - from);
    for (int64_t i = 0; i < count; i++) {
      const Tile tile(conv, from + i);
      const float* taps[16];
      window<4>(images, tile.image, tile.row - conv.pad_height, tile.column - conv.pad_width, taps);
      loops.transform_image(taps, part.ins, v + i * v_row, v_step);
      window<2>(gradients, tile.image, tile.row, tile.column, taps);
      loops.spread_image(taps, part.outs, m + i * m_row, m_step);
    }
    const int64_t end = part.tile + part.tiles, next = std::min(end, from + size), rest = std::min(size, end - next);
    for (int k = 0; k < 16; k++) {
      for (int64_t i = rest * k / 16; i < rest * (k + 1) / 16; i++) {
        const Tile tile(conv, next + i);
        fetch_window<4, 0>(images, tile.image, tile.row - conv.pad_height, tile.column - conv.pad_width, part.ins);
        fetch_window<2, 0>(gradients, tile.image, tile.row, tile.column, part.outs);
      }
      for (int64_t c = 0; c < part.outs; c += loops.panel)
        loops.tall_product(v + k * v_step, v_row, m + k * m_step + c, m_row, u + k * u_step + c, part.outs, part.ins,
                           count);
    }
  }
  for (int64_t c = 0; c < part.ins; c++)
    loops.restore_filter(u + c * part.outs, u_step, part.outs, dw + (part.in + c) * conv.out + part.out,
                         conv.in * conv.out);
}

/** The gradient with respect to the taps. */
inline void winograd_gradient_filter(const Convolution& conv, const float* x, const float* dy, float* dw) {
  const int64_t block = 64, ins = (conv.in + block - 1) / block, outs = (conv.out + block - 1) / block;
  // Enough parts for many threads, but not by their number: results must not depend on it.
  const int64_t wanted = std::max<int64_t>(1, 32 / (ins * outs)), tiles = conv.tiles();
  const int64_t share = (tiles + wanted - 1) / wanted;
  const int64_t each = std::max(4 * kFilterTiles, (share + kFilterTiles - 1) / kFilterTiles * kFilterTiles);
  const int64_t ranges = (tiles + each - 1) / each;
  const int64_t size = 9 * conv.in * conv.out;
  float* sums = ranges > 1 ? call_scratch().get(ranges * size) : dw;
  Workers::get().run(ins * outs * ranges, [&](int64_t i) {
    const int64_t range = i / (ins * outs), in = i % ins * block, out = i / ins % outs * block, tile = range * each;
    const FilterPart part{in, out, std::min(block, conv.in - in), std::min(block, conv.out - out), tile,
                          std::min(each, tiles - tile)};
    winograd_gradient_filter_part(conv, x, dy, part, sums + range * size);
  });
  if (ranges == 1) return;
  const int64_t rows = kTapBlock * conv.out;
  Workers::get().run(size / rows, [&](int64_t part) {
    for (int64_t i = part * rows; i < (part + 1) * rows; i++) {
      float sum = sums[i];
      for (int64_t range = 1; range < ranges; range++) sum += sums[range * size + i];
      dw[i] = sum;
    }
  });
}

}  // namespace g2d
