#pragma once
// The inner loops of products and convolutions, for each instruction set. All give the same bits: a sum has one order, products
// are fused multiply-adds, and nothing else is.
#include <stdint.h>

#include <cstring>
#include <utility>

#include "vectors.h"

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
#include "winograd-loops.h"
#undef G2D_TARGET
#undef G2D_WIDTH
#undef G2D_ROWS
#undef G2D_FMA
#undef G2D_BROADCAST
}  // namespace avx512

namespace avx2 {
#define G2D_TARGET __attribute__((target("avx2,fma"))) static
#define G2D_WIDTH 8
#define G2D_ROWS 6
#define G2D_FMA(a, b, c) ((Vector)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define G2D_BROADCAST(value) ((Vector)_mm256_set1_ps(value))
#include "product-loops.h"
#include "winograd-loops.h"
#undef G2D_TARGET
#undef G2D_WIDTH
#undef G2D_ROWS
#undef G2D_FMA
#undef G2D_BROADCAST
}  // namespace avx2

}  // namespace g2d
#endif
