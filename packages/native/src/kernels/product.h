#pragma once
// Products of matrices, of which each side may be transposed or have its rows anywhere, for dense layers, attention and
// convolutions. After Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008: both sides are copied
// into panels in the order in which the inner loop reads them, a block of depth at a time.
#include <stdint.h>

#include <algorithm>
#include <functional>

#include "activation.h"
#include "fetch.h"
#include "scratch.h"
#include "vector-loops.h"
#include "workers.h"

namespace g2d {

/** The loops for this processor; `panel` is 0 without. */
struct ProductLoops {
  /** `values`: of the depth, in one place of what is packed. */
  int64_t rows = 0, panel = 0, values = 1;
  void (*(*tile_for)(int64_t, bool))(const float*, int64_t, const float*, int64_t, float* const*, bool) = nullptr;
  void (*pack_rows_along)(const float* const*, int64_t, float*) = nullptr;
  void (*pack_columns_along)(const float* const*, int64_t, float*) = nullptr;
  void (*pack_rows_across)(const float* const*, int64_t, float*, int64_t) = nullptr;
  void (*pack_columns_across)(const float* const*, int64_t, float*, int64_t) = nullptr;
  void (*finish)(float*, const float*, Activation, int64_t) = nullptr;

  explicit ProductLoops(bool bfloat16) {
#if defined(__x86_64__)
#define G2D_CHOOSE(set)                                  \
  rows = set::kRows;                                     \
  panel = set::kPanel;                                   \
  values = set::kValues;                                 \
  tile_for = set::tile_for;                              \
  pack_rows_along = set::pack_along<set::kRows>;         \
  pack_columns_along = set::pack_along<set::kPanel>;     \
  pack_rows_across = set::pack_across<set::kRows>;       \
  pack_columns_across = set::pack_across<set::kPanel>;   \
  finish = set::finish;
    if (bfloat16) {
#if defined(G2D_BFLOAT16)
      if (bfloat16_vectors()) {
        G2D_CHOOSE(avx512_bf16)
      }
#endif
    } else if (vectors() == Vectors::kAvx512) {
      G2D_CHOOSE(avx512)
    } else if (vectors() == Vectors::kAvx2) {
      G2D_CHOOSE(avx2)
    }
#undef G2D_CHOOSE
#endif
  }
};

inline const ProductLoops& product_loops(bool bfloat16 = false) {
  static const ProductLoops chosen(false), rounding(true);
  return bfloat16 ? rounding : chosen;
}

/** Lines of values that lie side by side, a step apart or, with `table`, anywhere. */
template <typename Float>
struct Lines {
  Float* data;
  int64_t step;
  Float* const* table = nullptr;
  Float* operator[](int64_t line) const { return table ? table[line] : data + line * step; }
};

/** One side of a product: a line for each row (column) with its values along the depth, or a line for each step of the depth. */
struct Operand {
  Lines<const float> lines;
  bool along;
};

/** c [rows, columns] = or += a [rows, depth] · b [depth, columns]; the bias and the activation come last. */
struct Product {
  int64_t rows, columns, depth;
  Operand a, b;
  Lines<float> c;
  bool add = false;
  const float* bias = nullptr;
  Activation activation;
  /** Rounds both sides; sums are float32. Of another result than float32, but the same on any number of threads. */
  bool bfloat16 = false;
};

/** Sums of so many products are added up: part of what the bits of a result depend on. */
constexpr int64_t kDepthBlock = 256;
/** So much of each side is packed at a time, 16 MB; and no deeper than that: what is packed longer ago has left the cache. */
constexpr int64_t kPackedFloats = 4 << 20;
constexpr int64_t kPackedDepth = 3 * kDepthBlock;
constexpr int64_t kFewPanels = 4;
/** Rows that stay in a core's cache, with the depth of a block. */
constexpr int64_t kCachedRows = 144;

using Run = std::function<void(int64_t, const std::function<void(int64_t)>&)>;

inline int64_t parts_of(int64_t count, int64_t size) { return (count + size - 1) / size; }

/** Some panels of one side, [depth of the block, width] each, a block of depth at a time. */
struct Packing {
  const Operand& operand;
  /** Of rows or columns: of a panel, of all, of those that are packed now. */
  int64_t width, all, panel, panels;
  /** Of the depth. */
  int64_t from, depth;
  /** Null where it is read as it lies. */
  float* packed;
  /** Of the depth in one place. */
  int64_t values;
  void (*along)(const float* const*, int64_t, float*);
  void (*across)(const float* const*, int64_t, float*, int64_t);

  /** At most so many panels are a part of the work. */
  static constexpr int64_t kGroup = 16;
  int64_t groups() const { return parts_of(panels, kGroup); }
  int64_t parts() const { return packed ? groups() * parts_of(depth, kDepthBlock) : 0; }

  /** Places of a block, along the depth. */
  int64_t places(int64_t block) const { return parts_of(std::min(kDepthBlock, depth - block * kDepthBlock), values); }

  float* at(int64_t block, int64_t of_panel) const {
    return packed + (block * (kDepthBlock / values) * panels + of_panel * places(block)) * width;
  }

  void pack(int64_t part) const {
    const int64_t block = part / groups(), first = part % groups() * kGroup, last = std::min(panels, first + kGroup);
    const int64_t k = from + block * kDepthBlock, count = std::min(kDepthBlock, from + depth - k);
    const int64_t place = (panel + first) * width, inside = std::min(all, (panel + last) * width) - place;
    if (!operand.along) {
      float* to = at(block, first);
      const int64_t ahead = std::max<int64_t>(1, kAhead / inside), end = from + depth;
      for (int64_t i = 0; i < count; i += values, to += width) {
        const float* lines[2] = {};
        for (int64_t v = 0; v < values && i + v < count; v++) {
          const int64_t line = k + i + v;
          if (line + ahead < end) fetch(operand.lines[line + ahead] + place, inside);
          lines[v] = operand.lines[line] + place;
        }
        across(lines, inside, to, places(block) * width);
      }
      return;
    }
    static const float zeros[kDepthBlock] = {};
    for (int64_t p = first; p < last; p++) {
      const float* lines[32];
      for (int64_t i = 0; i < width; i++) {
        const int64_t line = (panel + p) * width + i;
        lines[i] = line < all ? operand.lines[line] + k : zeros;
      }
      along(lines, count, at(block, p));
    }
  }
};

/** Some rows and columns of c, by panels, from what is packed. */
inline void multiply(const Product& p, const Packing& a, const Packing& b, int64_t row, int64_t rows, int64_t column,
                     int64_t columns, bool first, bool last) {
  const auto& loops = product_loops(p.bfloat16);
  alignas(64) float edge[12 * 32];
  const int64_t end_row = std::min(p.rows, (a.panel + row + rows) * a.width);
  for (int64_t block = 0; block < parts_of(a.depth, kDepthBlock); block++) {
    const int64_t depth = std::min(kDepthBlock, a.depth - block * kDepthBlock);
    const bool add = !first || block > 0 || p.add;
    for (int64_t j = column; j < column + columns; j++) {
      const int64_t from = j * b.width, inside = std::min(b.width, p.columns - from);
      for (int64_t i = row; i < row + rows; i++) {
        const int64_t top = (a.panel + i) * a.width, high = std::min(a.width, end_row - top);
        float* c[12];
        for (int64_t r = 0; r < high; r++) c[r] = inside < b.width ? edge + r * b.width : p.c[top + r] + from;
        const float* from_a = a.packed ? a.at(block, i) : a.operand.lines[top] + a.from + block * kDepthBlock;
        // A side that is read as it lies comes from memory: the next rows of it while these are multiplied.
        for (int64_t r = top + high; !a.packed && j == column && r < std::min(end_row, top + high + a.width); r++)
          fetch(a.operand.lines[r] + a.from + block * kDepthBlock, depth);
        loops.tile_for(high, a.packed)(from_a, a.operand.lines.step, b.at(block, j), b.places(block), c,
                                       add && inside == b.width);
        if (inside == b.width) continue;
        for (int64_t r = 0; r < high; r++) {
          float* to = p.c[top + r] + from;
          for (int64_t n = 0; n < inside; n++) to[n] = add ? to[n] + c[r][n] : c[r][n];
        }
      }
    }
  }
  if (!last || !(p.bias || bend(p.activation) != Bend::kNone)) return;
  const int64_t from = column * b.width, inside = std::min(columns * b.width, p.columns - from);
  for (int64_t r = (a.panel + row) * a.width; r < end_row; r++)
    loops.finish(p.c[r] + from, p.bias ? p.bias + from : nullptr, p.activation, inside);
}

/** @param run Does the parts of the work, one after the other or together. */
inline void product(const Product& p, const Run& run, Scratch& scratch) {
  const auto& loops = product_loops(p.bfloat16);
  if (p.rows == 0 || p.columns == 0) return;
  if (p.depth == 0) {
    for (int64_t r = 0; r < p.rows; r++) {
      if (!p.add) std::fill(p.c[r], p.c[r] + p.columns, 0.0f);
      loops.finish(p.c[r], p.bias, p.activation, p.columns);
    }
    return;
  }
  const int64_t row_panels = parts_of(p.rows, loops.rows), column_panels = parts_of(p.columns, loops.panel);
  const auto fitting = [](int64_t count, int64_t size, int64_t step) {
    return std::min(count, std::max<int64_t>(1, kPackedFloats / (size * step)) * step);
  };
  const int64_t deep = fitting(std::min(p.depth, kPackedDepth), column_panels * loops.panel, kDepthBlock);
  // Each value of a is needed too seldom to be worth packing.
  const bool direct = !p.bfloat16 && p.a.along && !p.a.lines.table && column_panels <= kFewPanels;
  const int64_t high = direct ? row_panels : fitting(row_panels, deep * loops.rows, kCachedRows / loops.rows);
  float* packed_b = scratch.get(deep * (column_panels * loops.panel + (direct ? 0 : high * loops.rows)));
  float* packed_a = direct ? nullptr : packed_b + deep * column_panels * loops.panel;
  for (int64_t from = 0; from < p.depth; from += deep) {
    const int64_t depth = std::min(deep, p.depth - from);
    const Packing b{p.b, loops.panel, p.columns, 0, column_panels, from, depth, packed_b, loops.values,
                    loops.pack_columns_along, loops.pack_columns_across};
    for (int64_t panel = 0; panel < row_panels; panel += high) {
      const Packing a{p.a, loops.rows, p.rows, panel, std::min(high, row_panels - panel), from, depth, packed_a,
                      loops.values, loops.pack_rows_along, loops.pack_rows_across};
      const int64_t fresh = panel == 0 ? b.parts() : 0;
      run(fresh + a.parts(), [&](int64_t part) { part < fresh ? b.pack(part) : a.pack(part - fresh); });
      // Rows that a core's cache holds, and of columns so many that there are parts for many threads.
      const int64_t bands = parts_of(a.panels, kCachedRows / loops.rows), rows = parts_of(a.panels, bands);
      const int64_t columns = parts_of(column_panels, std::min(column_panels, parts_of(48, bands)));
      const int64_t across = parts_of(column_panels, columns), down = parts_of(a.panels, rows);
      run(down * across, [&](int64_t part) {
        const int64_t i = part % down * rows, j = part / down * columns;
        multiply(p, a, b, i, std::min(rows, a.panels - i), j, std::min(columns, column_panels - j), from == 0,
                 from + depth == p.depth);
      });
    }
  }
}

/** The calling thread alone, in a part of the work. */
inline void product_alone(const Product& p) {
  product(p,
          [](int64_t parts, const std::function<void(int64_t)>& work) {
            for (int64_t part = 0; part < parts; part++) work(part);
          },
          part_scratch());
}

/** Depth from which on, and for so small a result, several parts of the depth are summed up at once. */
constexpr int64_t kLongDepth = 16 * kDepthBlock;
constexpr int64_t kSmallResult = 1 << 16;

/** The sum over parts of the depth, each in a core's own cache; how many says the shape alone. */
inline void long_product(const Product& p) {
  const int64_t each = std::max(4 * kDepthBlock, parts_of(parts_of(p.depth, 64), kDepthBlock) * kDepthBlock);
  const int64_t ranges = parts_of(p.depth, each), size = p.rows * p.columns;
  float* sums = call_scratch().get(ranges * size);
  const auto from = [](Lines<const float> lines, int64_t line) {
    if (lines.table) return Lines<const float>{nullptr, 0, lines.table + line};
    return Lines<const float>{lines.data + line * lines.step, lines.step};
  };
  Workers::get().run(ranges, [&](int64_t i) {
    Product part{p.rows, p.columns, std::min(each, p.depth - i * each), {from(p.a.lines, i * each), false},
                 {from(p.b.lines, i * each), false}, {sums + i * size, p.columns}};
    part.bfloat16 = p.bfloat16;
    product_alone(part);
  });
  for (int64_t row = 0; row < p.rows; row++) {
    float* c = p.c[row];
    for (int64_t i = 0; i < ranges; i++) {
      const float* sum = sums + i * size + row * p.columns;
      for (int64_t j = 0; j < p.columns; j++) c[j] = i > 0 || p.add ? c[j] + sum[j] : sum[j];
    }
    product_loops().finish(c, p.bias, p.activation, p.columns);
  }
}

/** All threads at one product. */
inline void product(const Product& p) {
  if (!p.a.along && !p.b.along && p.depth >= kLongDepth && p.rows * p.columns <= kSmallResult) {
    long_product(p);
    return;
  }
  product(p, [](int64_t parts, const std::function<void(int64_t)>& work) { Workers::get().run(parts, work); },
          call_scratch());
}

}  // namespace g2d
