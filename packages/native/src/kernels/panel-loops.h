// Products of one panel of columns that is not packed, all rows of it: behind the loops of the product.

/** Fewer rows than a block has, at once. */
template <bool tall, bool add, int most = G2D_ROWS - 1>
G2D_TARGET inline void last_rows(const float* a, int64_t a_row, int64_t a_depth, const float* b, int64_t b_depth, float* c,
                                 int64_t c_row, int64_t rows, int64_t depth) {
  if constexpr (most > 0) {
    if (rows == most) {
      product_of_rows<most, add>(a, a_row, a_depth, b, b_depth, c, c_row, depth);
    } else {
      last_rows<tall, add, most - 1>(a, a_row, a_depth, b, b_depth, c, c_row, rows, depth);
    }
  }
}

/** All rows of one panel: c = or += a b. */
template <bool tall, bool add>
G2D_TARGET void rows_of_panel(const float* a, int64_t a_step, const float* b, int64_t b_depth, float* c, int64_t c_row,
                              int64_t rows, int64_t depth) {
  const int64_t a_row = tall ? 1 : a_step, a_depth = tall ? a_step : 1;
  for (; rows >= G2D_ROWS; rows -= G2D_ROWS, a += G2D_ROWS * a_row, c += G2D_ROWS * c_row)
    product_of_rows<G2D_ROWS, add>(a, a_row, a_depth, b, b_depth, c, c_row, depth);
  if (rows > 0) last_rows<tall, add>(a, a_row, a_depth, b, b_depth, c, c_row, rows, depth);
}

/** So many products are one chain of multiply-adds; chains are added one after the other. Rounding grows with a chain's length. */
constexpr int64_t kChain = 128;

/** One panel of a product whose a has unit steps along depth. */
G2D_TARGET void product(const float* a, int64_t a_row, const float* b, int64_t b_depth, float* c, int64_t c_row,
                        int64_t rows, int64_t depth) {
  rows_of_panel<false, false>(a, a_row, b, b_depth, c, c_row, rows, std::min(depth, kChain));
  for (int64_t k = kChain; k < depth; k += kChain)
    rows_of_panel<false, true>(a + k, a_row, b + k * b_depth, b_depth, c, c_row, rows, std::min(depth - k, kChain));
}

/** One whose a has unit steps along rows, added to c. */
G2D_TARGET void tall_product(const float* a, int64_t a_depth, const float* b, int64_t b_depth, float* c, int64_t c_row,
                             int64_t rows, int64_t depth) {
  rows_of_panel<true, true>(a, a_depth, b, b_depth, c, c_row, rows, depth);
}

/** Some windows of one row: each row of theirs is `depth` values side by side, `line` apart; the next window is `step` further on. */
template <int rows>
G2D_TARGET void windows_at_once(const float* a, int64_t line, int64_t step, const float* b, int64_t b_depth, float* c,
                                int64_t high, int64_t depth) {
  Vector sum[rows][2] = {};
  for (int64_t i = 0; i < high; i++) sums_of_rows<rows>(a + i * line, step, 1, b + i * depth * b_depth, b_depth, depth, sum);
#pragma GCC unroll 16
  for (int row = 0; row < rows; row++, c += b_depth) {
    put(c, sum[row][0]);
    put(c + kWidth, sum[row][1]);
  }
}

template <int most = G2D_ROWS - 1>
G2D_TARGET inline void last_windows(const float* a, int64_t line, int64_t step, const float* b, int64_t b_depth, float* c,
                                    int64_t count, int64_t high, int64_t depth) {
  if constexpr (most > 0) {
    if (count == most) {
      windows_at_once<most>(a, line, step, b, b_depth, c, high, depth);
    } else {
      last_windows<most - 1>(a, line, step, b, b_depth, c, count, high, depth);
    }
  }
}

/** A row of `count` windows, for one panel of columns: c, its rows as far apart as those of b. */
G2D_TARGET void windows(const float* a, int64_t line, int64_t step, const float* b, int64_t b_depth, float* c,
                        int64_t count, int64_t high, int64_t depth) {
  for (; count >= G2D_ROWS; count -= G2D_ROWS, a += G2D_ROWS * step, c += G2D_ROWS * b_depth)
    windows_at_once<G2D_ROWS>(a, line, step, b, b_depth, c, high, depth);
  last_windows(a, line, step, b, b_depth, c, count, high, depth);
}

inline void choose(PanelLoops& loops) { loops = {kPanel, product, tall_product, windows}; }
