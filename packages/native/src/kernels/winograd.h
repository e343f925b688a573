#pragma once
// Convolution of 3 × 3 taps by Winograd's algorithm (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016): with
// stride 1 by F(2 × 2, 3 × 3), 16 multiplications for four outputs in place of 36, or F(4 × 4, 3 × 3), 36 for sixteen in place of 144; with
// stride 2 25 for four in place of 36.
#include <stdint.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "fetch.h"
#include "scratch.h"
#include "vector-loops.h"
#include "workers.h"

namespace g2d {

inline const WinogradForms& winograd_forms() { return chosen_loops<WinogradForms>(); }

// The taps of so many, transformed, take 105 MB.
constexpr int64_t kMaxChannels = 1024;
alignas(64) const float kZeros[kMaxChannels] = {};

/** [B, H, W, C] → [B, H′, W′, K], with zeros around the image. */
struct Convolution {
  int64_t batch, height, width, in, out, pad_height, pad_width;
  int64_t stride = 1;
  int64_t out_height() const { return (height + 2 * pad_height - 3) / stride + 1; }
  int64_t out_width() const { return (width + 2 * pad_width - 3) / stride + 1; }
  bool fits() const {
    const auto padding = [&](int64_t zeros) { return stride == 2 ? zeros == 1 : zeros >= 0 && zeros <= 2; };
    const auto channels = [](int64_t count) { return count > 0 && count % 32 == 0 && count <= kMaxChannels; };
    return padding(pad_height) && padding(pad_width) && channels(in) && channels(out) && height > 0 && width > 0 &&
           height + 2 * pad_height >= 3 && width + 2 * pad_width >= 3;
  }
};

/** A convolution from one image to another, cut into tiles, each of which is computed alone. */
struct Tiles {
  const WinogradForm& form;
  int64_t batch, height, width, in, out_height, out_width, out;
  /** Zeros before the first tile's window. */
  int64_t pad_height, pad_width;

  int64_t high() const { return (out_height + form.outputs - 1) / form.outputs; }
  int64_t wide() const { return (out_width + form.outputs - 1) / form.outputs; }
  int64_t count() const { return batch * high() * wide(); }
};

inline Tiles forward(const Convolution& c, const WinogradForm& form) {
  return {form, c.batch, c.height, c.width, c.in, c.out_height(), c.out_width(), c.out, c.pad_height, c.pad_width};
}

/** From the gradient of the outputs to that of the image. */
inline Tiles backward(const Convolution& c, const WinogradForm& form) {
  const auto pad = [&](int64_t zeros) { return c.stride == 2 ? 0 : 2 - zeros; };
  return {form, c.batch, c.out_height(), c.out_width(), c.out, c.height, c.width, c.in, pad(c.pad_height), pad(c.pad_width)};
}

/** Where a tile lies: image, its first output, and the first place of its window. */
struct Tile {
  int64_t image, row, column, from_row, from_column;
  Tile(const Tiles& tiles, int64_t index) {
    const int64_t wide = tiles.wide(), each = wide * tiles.high(), down = index % each / wide, right = index % wide;
    image = index / each;
    row = down * tiles.form.outputs;
    column = right * tiles.form.outputs;
    from_row = down * tiles.form.step - tiles.pad_height;
    from_column = right * tiles.form.step - tiles.pad_width;
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

/** A square of pointers has at most so many. */
constexpr int64_t kMostPlaces = 36;

/** The size × size places from (row, column) on; `outside` for those that the image does not have. */
template <typename Float>
inline void square(const Images<Float>& images, int64_t image, int64_t row, int64_t column, int64_t size, Float* outside,
                   Float** to) {
  for (int64_t i = 0; i < size; i++)
    for (int64_t j = 0; j < size; j++) {
      Float* place = images.at(image, row + i, column + j);
      *to++ = place ? place : outside;
    }
}

/**
 * Asks for places that will be needed: they come from memory while other tiles are multiplied. Of a row only the middle `columns`: the others
 * are those of the tiles beside it.
 */
template <bool written, typename Float>
inline void fetch_square(const Images<Float>& images, int64_t image, int64_t row, int64_t column, int64_t size,
                         int64_t columns, int64_t channels) {
  const int64_t edge = (size - columns) / 2;
  for (int64_t i = 0; i < size; i++)
    for (int64_t j = edge; j < edge + columns; j++) {
      const Float* place = images.at(image, row + i, column + j);
      if (place) fetch<written>(place, channels);
    }
}

/** Calls task(i) for share k of `shares` equal ones of 0 … count − 1. */
template <typename Task>
inline void share_of(int64_t k, int64_t shares, int64_t count, const Task& task) {
  for (int64_t i = count * k / shares; i < count * (k + 1) / shares; i++) task(i);
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

/** u [points², out / panel, in, panel] from w [3, 3, in, out]. */
inline void winograd_filter(const WinogradForm& form, const float* w, int64_t in, int64_t out, float* u) {
  const PanelLoops& loops = panel_loops();
  const int64_t panels = out / loops.panel;
  Workers::get().run(panels * (in / kTapBlock), [&](int64_t part) {
    const int64_t panel = part % panels, from = part / panels * kTapBlock;
    for (int64_t c = from; c < from + kTapBlock; c++) {
      const float* taps[9];
      for (int tap = 0; tap < 9; tap++) taps[tap] = w + (tap * in + c) * out + panel * loops.panel;
      form.transform_filter(taps, u + (panel * in + c) * loops.panel, in * out);
    }
  });
}

/** That of the image's gradient, u [points², in / panel, out, panel]: inputs and outputs exchanged, and turned by 180 degrees. */
inline void winograd_turned_filter(const WinogradForm& form, const float* w, int64_t in, int64_t out, float* u) {
  const PanelLoops& loops = panel_loops();
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
      form.transform_filter(taps, u + (panel * out + from + c) * loops.panel, in * out);
    }
  });
}

/**
 * How many tiles a part has: few enough to stay in a core's cache beside the taps, more where those do not fit anyway and are
 * read again for each part; and so that no thread waits for a last part that is short.
 */
inline int64_t tiles_of_part(const Tiles& tiles) {
  const int64_t most = tiles.in * tiles.out < 128 * 1024 ? tiles.form.part : 72;
  const int64_t threads = Workers::get().threads(), count = tiles.count();
  const int64_t rounds = (count + most * threads - 1) / (most * threads);
  return (count + rounds * threads - 1) / (rounds * threads);
}

/** y = x * w + bias, with the taps of w transformed. Each tile is computed alone: the parts change nothing. */
inline void winograd_apply(const Tiles& tiles, const float* x, const float* u, const float* bias, float* y) {
  const PanelLoops& loops = panel_loops();
  const WinogradForm& form = tiles.form;
  const int64_t v_row = padded(tiles.in), m_row = padded(tiles.out), squares = form.squares(), all = tiles.count();
  const int64_t size = tiles_of_part(tiles);
  const Images<const float> images{x, tiles.height, tiles.width, tiles.in};
  const Images<float> results{y, tiles.out_height, tiles.out_width, tiles.out};
  Workers::get().run((all + size - 1) / size, [&](int64_t part) {
    const int64_t from = part * size, count = std::min(size, all - from);
    const int64_t v_step = size * v_row, m_step = size * m_row;
    float* v = part_scratch().get(squares * (v_step + m_step) + tiles.out);
    float* m = v + squares * v_step;
    float* nowhere = m + squares * m_step;
    for (int64_t i = 0; i < count; i++) {
      const Tile tile(tiles, from + i);
      const float* taps[kMostPlaces];
      square(images, tile.image, tile.from_row, tile.from_column, form.window, kZeros, taps);
      form.transform_image(taps, tiles.in, v + i * v_row, v_step);
    }
    // Most probably the next part of this thread.
    const int64_t next = std::min(all, from + Workers::get().threads() * size);
    for (int64_t k = 0; k < squares; k++) {
      share_of(k, squares, std::min(size, all - next), [&](int64_t i) {
        const Tile tile(tiles, next + i);
        fetch_square<false>(images, tile.image, tile.from_row, tile.from_column, form.window, form.step, tiles.in);
      });
      share_of(k, squares, count, [&](int64_t i) {
        const Tile tile(tiles, from + i);
        fetch_square<true>(results, tile.image, tile.row, tile.column, form.outputs, form.outputs, tiles.out);
      });
      for (int64_t c = 0; c < tiles.out; c += loops.panel)
        loops.product(v + k * v_step, v_row, u + (k * tiles.out + c) * tiles.in, loops.panel, m + k * m_step + c, m_row,
                      count, tiles.in);
    }
    for (int64_t i = 0; i < count; i++) {
      const Tile tile(tiles, from + i);
      float* taps[kMostPlaces];
      square(results, tile.image, tile.row, tile.column, form.outputs, nowhere, taps);
      form.restore_image(m + i * m_row, m_step, tiles.out, bias, taps);
    }
  });
}

/** Products of a form with so many images; transforming the taps costs as much as those of some tiles. */
inline int64_t products(const Convolution& conv, const WinogradForm& form, int64_t images, int64_t taps) {
  Tiles tiles = forward(conv, form);
  tiles.batch = images;
  return form.squares() * (tiles.count() + taps);
}

// The form is chosen by the image's shape, never by the batch, in which an image comes to what it does alone. As if there were eight images.
constexpr int64_t kUsualBatch = 8, kTilesForTaps = 80;

/** Whether stride 2 is worth it: direct products have nothing to transform. */
inline bool winograd_strides(const Convolution& conv) {
  const int64_t own = products(conv, winograd_forms().strided, kUsualBatch, kTilesForTaps);
  return conv.stride == 2 && conv.fits() && own < 9 * kUsualBatch * conv.out_height() * conv.out_width();
}

inline const WinogradForm& image_form(const Convolution& conv, bool gradient) {
  const WinogradForms& forms = winograd_forms();
  if (conv.stride == 2) return gradient ? forms.strided_back : forms.strided;
  const int64_t two = products(conv, forms.two_outputs, kUsualBatch, kTilesForTaps);
  const int64_t four = products(conv, forms.four_outputs, kUsualBatch, kTilesForTaps);
  return 10 * four <= 9 * two ? forms.four_outputs : forms.two_outputs;
}

/** Its taps are transformed once, behind all sums. */
inline const WinogradForm& filter_form(const Convolution& conv) {
  const WinogradForms& forms = winograd_forms();
  if (conv.stride == 2) return forms.strided;
  const int64_t two = products(conv, forms.two_outputs, 1, 0), four = products(conv, forms.four_outputs, 1, 0);
  return 10 * four <= 8 * two ? forms.four_outputs : forms.two_outputs;
}

inline void winograd_convolve(const Convolution& conv, const float* x, const float* w, const float* bias, float* y) {
  const Tiles tiles = forward(conv, image_form(conv, false));
  float* u = call_scratch().get(tiles.form.squares() * conv.in * conv.out);
  winograd_filter(tiles.form, w, conv.in, conv.out, u);
  winograd_apply(tiles, x, u, bias, y);
}

/** The gradient with respect to the image: a convolution of dy with the taps turned, inputs and outputs exchanged. */
inline void winograd_gradient_image(const Convolution& conv, const float* w, const float* dy, float* dx) {
  const Tiles tiles = backward(conv, image_form(conv, true));
  float* u = call_scratch().get(tiles.form.squares() * conv.in * conv.out);
  winograd_turned_filter(tiles.form, w, conv.in, conv.out, u);
  winograd_apply(tiles, dy, u, kZeros, dx);
}

/** A block of channels of the filter, and some of the tiles. */
struct FilterPart {
  int64_t in, out, ins, outs, tile, tiles;
};

/**
 * Gᵀ (Σ over tiles (Bᵀ d B) (A dy Aᵀ)) G, the adjoint of each step of the convolution, into the part's place in dw
 * [3, 3, C, K]. Everything stays in a core's own cache.
 */
inline void winograd_gradient_filter_part(const Tiles& tiles, const float* x, const float* dy, const FilterPart& part,
                                          float* dw) {
  const PanelLoops& loops = panel_loops();
  const WinogradForm& form = tiles.form;
  const int64_t size = form.gathered, squares = form.squares();
  const int64_t v_row = padded(part.ins), m_row = padded(part.outs);
  const int64_t v_step = size * v_row, m_step = size * m_row, u_step = part.ins * part.outs;
  float* v = part_scratch().get(squares * (v_step + m_step + u_step));
  float* m = v + squares * v_step;
  float* u = m + squares * m_step;
  std::fill(u, u + squares * u_step, 0.0f);
  const Images<const float> images{x + part.in, tiles.height, tiles.width, tiles.in};
  const Images<const float> gradients{dy + part.out, tiles.out_height, tiles.out_width, tiles.out};
  const int64_t end = part.tile + part.tiles;
  for (int64_t from = part.tile; from < end; from += size) {
    const int64_t count = std::min(size, end - from);
    for (int64_t i = 0; i < count; i++) {
      const Tile tile(tiles, from + i);
      const float* taps[kMostPlaces];
      square(images, tile.image, tile.from_row, tile.from_column, form.window, kZeros, taps);
      form.transform_image(taps, part.ins, v + i * v_row, v_step);
      square(gradients, tile.image, tile.row, tile.column, form.outputs, kZeros, taps);
      form.spread_image(taps, part.outs, m + i * m_row, m_step);
    }
    const int64_t next = std::min(end, from + size);
    for (int64_t k = 0; k < squares; k++) {
      share_of(k, squares, std::min(size, end - next), [&](int64_t i) {
        const Tile tile(tiles, next + i);
        fetch_square<false>(images, tile.image, tile.from_row, tile.from_column, form.window, form.step, part.ins);
        fetch_square<false>(gradients, tile.image, tile.row, tile.column, form.outputs, form.outputs, part.outs);
      });
      for (int64_t c = 0; c < part.outs; c += loops.panel)
        loops.tall_product(v + k * v_step, v_row, m + k * m_step + c, m_row, u + k * u_step + c, part.outs, part.ins,
                           count);
    }
  }
  for (int64_t c = 0; c < part.ins; c++)
    form.restore_filter(u + c * part.outs, u_step, part.outs, dw + (part.in + c) * tiles.out + part.out,
                        tiles.in * tiles.out);
}

/** The gradient with respect to the taps. */
inline void winograd_gradient_filter(const Convolution& conv, const float* x, const float* dy, float* dw) {
  const Tiles tiles = forward(conv, filter_form(conv));
  const int64_t block = 64, ins = (conv.in + block - 1) / block, outs = (conv.out + block - 1) / block;
  // Enough parts for many threads, but not by their number: results must not depend on it.
  const int64_t wanted = std::max<int64_t>(1, 32 / (ins * outs)), count = tiles.count(), step = tiles.form.gathered;
  const int64_t share = (count + wanted - 1) / wanted;
  const int64_t each = std::max(4 * step, (share + step - 1) / step * step);
  const int64_t ranges = (count + each - 1) / each;
  const int64_t size = 9 * conv.in * conv.out;
  float* sums = ranges > 1 ? call_scratch().get(ranges * size) : dw;
  Workers::get().run(ins * outs * ranges, [&](int64_t i) {
    const int64_t range = i / (ins * outs), in = i % ins * block, out = i / ins % outs * block, tile = range * each;
    const FilterPart part{in, out, std::min(block, conv.in - in), std::min(block, conv.out - out), tile,
                          std::min(each, count - tile)};
    winograd_gradient_filter_part(tiles, x, dy, part, sums + range * size);
  });
  if (ranges > 1) add_up(sums, ranges, size, dw);
}

}  // namespace g2d
