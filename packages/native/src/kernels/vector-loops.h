#pragma once
// The inner loops of products and convolutions, for each instruction set. All of float32 give the same bits: a sum has one order, and what is
// fused in one is fused in the other.
#include <stdint.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "vectors.h"

namespace g2d {

/** One of Winograd's algorithms. */
struct WinogradForm {
  /** Sizes of its squares, and how far apart the windows of two tiles lie. */
  int64_t window, points, outputs, step;
  /** Tiles that a core's cache keeps beside the taps, and beside the sums of the filter's gradient. */
  int64_t part, gathered;
  void (*transform_image)(const float* const*, int64_t, float*, int64_t);
  void (*spread_image)(const float* const*, int64_t, float*, int64_t);
  void (*restore_image)(const float*, int64_t, int64_t, const float*, float* const*);
  void (*transform_filter)(const float* const*, float*, int64_t);
  void (*restore_filter)(const float*, int64_t, int64_t, float*, int64_t);
  int64_t squares() const { return points * points; }
};

/** Stride 1; stride 2; the image's gradient of that, which has no filter's gradient. */
struct WinogradForms {
  WinogradForm two_outputs = {}, four_outputs = {}, strided = {}, strided_back = {};
};

/** Products of one panel of columns; see `panel-loops.h`. */
struct PanelLoops {
  /** Columns of a panel; 0 without loops. */
  int64_t panel = 0;
  void (*product)(const float*, int64_t, const float*, int64_t, float*, int64_t, int64_t, int64_t) = nullptr;
  void (*tall_product)(const float*, int64_t, const float*, int64_t, float*, int64_t, int64_t, int64_t) = nullptr;
  void (*windows)(const float*, int64_t, int64_t, const float*, int64_t, float*, int64_t, int64_t, int64_t) = nullptr;
};

}  // namespace g2d

#if defined(__x86_64__)
#include <immintrin.h>

namespace g2d {

namespace avx512 {
#define G2D_TARGET __attribute__((target("avx512f,fma"))) static
#define G2D_WIDTH 16
#define G2D_ROWS 12
#define G2D_FMA(a, b, c) ((Vector)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define G2D_BROADCAST(value) ((Vector)_mm512_set1_ps(value))
#include "product-loops.h"
#include "packing-loops.h"
#include "panel-loops.h"
#include "winograd-loops.h"
#undef G2D_TARGET
#undef G2D_WIDTH
#undef G2D_ROWS
#undef G2D_FMA
#undef G2D_BROADCAST
}  // namespace avx512

#if defined(__clang__) || __GNUC__ >= 10
#define G2D_BFLOAT16
namespace avx512_bf16 {
#define G2D_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16,fma"))) static
#define G2D_WIDTH 16
#define G2D_ROWS 12
#define G2D_FMA(a, b, c) ((Vector)_mm512_dpbf16_ps((__m512)(c), (__m512bh)(a), (__m512bh)(b)))
#define G2D_BROADCAST(value) ((Vector)_mm512_set1_ps(value))
#include "product-loops.h"
#include "rounding-loops.h"
#undef G2D_TARGET
#undef G2D_WIDTH
#undef G2D_ROWS
#undef G2D_FMA
#undef G2D_BROADCAST
}  // namespace avx512_bf16
#endif

namespace avx2 {
#define G2D_TARGET __attribute__((target("avx2,fma"))) static
#define G2D_WIDTH 8
#define G2D_ROWS 6
#define G2D_FMA(a, b, c) ((Vector)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define G2D_BROADCAST(value) ((Vector)_mm256_set1_ps(value))
#include "product-loops.h"
#include "packing-loops.h"
#include "panel-loops.h"
#include "winograd-loops.h"
#undef G2D_TARGET
#undef G2D_WIDTH
#undef G2D_ROWS
#undef G2D_FMA
#undef G2D_BROADCAST
}  // namespace avx2

}  // namespace g2d
#endif

namespace g2d {

/** The loops of one kind for this processor; as they are without vectors, if it has none. */
template <typename Loops>
inline const Loops& chosen_loops() {
  static const Loops chosen = [] {
    Loops loops;
#if defined(__x86_64__)
    if (vectors() == Vectors::kAvx512) avx512::choose(loops);
    if (vectors() == Vectors::kAvx2) avx2::choose(loops);
#endif
    return loops;
  }();
  return chosen;
}

inline const PanelLoops& panel_loops() { return chosen_loops<PanelLoops>(); }

}  // namespace g2d
