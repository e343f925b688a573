// The inner loops of Winograd's convolution, for vectors of G2D_WIDTH floats; behind those of the product, with which it multiplies.

/** Bᵀ d B of 4 × 4 values; taps[4i + j] holds the channels of row i, column j. Result k goes to v + k · step. */
G2D_TARGET void transform_image(const float* const* taps, int64_t channels, float* v, int64_t step) {
  for (int64_t c = 0; c < channels; c += kWidth) {
    Vector t[4][4];
    for (int j = 0; j < 4; j++) {
      const Vector d0 = at(taps[j] + c), d1 = at(taps[4 + j] + c);
      const Vector d2 = at(taps[8 + j] + c), d3 = at(taps[12 + j] + c);
      t[0][j] = d0 - d2;
      t[1][j] = d1 + d2;
      t[2][j] = d2 - d1;
      t[3][j] = d1 - d3;
    }
    for (int i = 0; i < 4; i++) {
      float* to = v + 4 * i * step + c;
      put(to, t[i][0] - t[i][2]);
      put(to + step, t[i][1] + t[i][2]);
      put(to + 2 * step, t[i][2] - t[i][1]);
      put(to + 3 * step, t[i][1] - t[i][3]);
    }
  }
}

/** A d Aᵀ of 2 × 2 values: the adjoint of `restore_image`. */
G2D_TARGET void spread_image(const float* const* taps, int64_t channels, float* m, int64_t step) {
  for (int64_t c = 0; c < channels; c += kWidth) {
    Vector t[4][2];
    for (int j = 0; j < 2; j++) {
      const Vector d0 = at(taps[j] + c), d1 = at(taps[2 + j] + c);
      t[0][j] = d0;
      t[1][j] = d0 + d1;
      t[2][j] = d0 - d1;
      t[3][j] = -d1;
    }
    for (int i = 0; i < 4; i++) {
      float* to = m + 4 * i * step + c;
      put(to, t[i][0]);
      put(to + step, t[i][0] + t[i][1]);
      put(to + 2 * step, t[i][0] - t[i][1]);
      put(to + 3 * step, -t[i][1]);
    }
  }
}

/** Aᵀ m A: 2 × 2 values from 4 × 4; and the bias. */
G2D_TARGET void restore_image(const float* m, int64_t step, int64_t channels, const float* bias, float* const* taps) {
  for (int64_t c = 0; c < channels; c += kWidth) {
    Vector t[2][4];
    for (int j = 0; j < 4; j++) {
      const float* from = m + j * step + c;
      const Vector m1 = at(from + 4 * step), m2 = at(from + 8 * step);
      t[0][j] = at(from) + m1 + m2;
      t[1][j] = m1 - m2 - at(from + 12 * step);
    }
    for (int i = 0; i < 2; i++) {
      put(taps[2 * i] + c, t[i][0] + t[i][1] + t[i][2] + at(bias + c));
      put(taps[2 * i + 1] + c, t[i][1] - t[i][2] - t[i][3] + at(bias + c));
    }
  }
}

/** One side of G: 4 values from 3. */
G2D_TARGET inline void widen(Vector g0, Vector g1, Vector g2, Vector* u, int step) {
  const Vector even = 0.5f * (g0 + g2), odd = 0.5f * g1;
  u[0] = g0;
  u[step] = even + odd;
  u[2 * step] = even - odd;
  u[3 * step] = g2;
}

/** G g Gᵀ of one panel's columns; g[3i + j] is tap (i, j). Result k goes to u + k · step. */
G2D_TARGET void transform_filter(const float* const* g, float* u, int64_t step) {
  for (int64_t c = 0; c < kPanel; c += kWidth) {
    Vector t[12], s[4];
    for (int j = 0; j < 3; j++) widen(at(g[j] + c), at(g[3 + j] + c), at(g[6 + j] + c), t + j, 3);
    for (int i = 0; i < 4; i++) {
      widen(t[3 * i], t[3 * i + 1], t[3 * i + 2], s, 1);
      for (int j = 0; j < 4; j++) put(u + (4 * i + j) * step + c, s[j]);
    }
  }
}

/** Gᵀ u G: the 3 × 3 taps from 4 × 4 values. Tap k goes to g + k · g_step. */
G2D_TARGET void restore_filter(const float* u, int64_t step, int64_t channels, float* g, int64_t g_step) {
  for (int64_t c = 0; c < channels; c += kWidth) {
    Vector t[3][4];
    for (int j = 0; j < 4; j++) {
      const float* from = u + j * step + c;
      const Vector u1 = at(from + 4 * step), u2 = at(from + 8 * step);
      const Vector even = 0.5f * (u1 + u2);
      t[0][j] = at(from) + even;
      t[1][j] = 0.5f * (u1 - u2);
      t[2][j] = even + at(from + 12 * step);
    }
    for (int i = 0; i < 3; i++) {
      const Vector even = 0.5f * (t[i][1] + t[i][2]);
      float* to = g + 3 * i * g_step + c;
      put(to, t[i][0] + even);
      put(to + g_step, 0.5f * (t[i][1] - t[i][2]));
      put(to + 2 * g_step, even + t[i][3]);
    }
  }
}

/** Fewer rows than a block has, at once. */
template <bool tall, int most = G2D_ROWS - 1>
G2D_TARGET void last_rows(const float* a, int64_t a_row, int64_t a_depth, const float* b, int64_t b_depth, float* c,
                                 int64_t c_row, int64_t rows, int64_t depth) {
  if constexpr (most > 0) {
    if (rows == most) {
      product_of_rows<most, tall>(a, a_row, a_depth, b, b_depth, c, c_row, depth);
    } else {
      last_rows<tall, most - 1>(a, a_row, a_depth, b, b_depth, c, c_row, rows, depth);
    }
  }
}

/** One panel of a product whose a has unit steps along depth, or along rows (`tall`); the latter is added to c. */
template <bool tall>
G2D_TARGET void product(const float* a, int64_t a_step, const float* b, int64_t b_depth, float* c, int64_t c_row,
                        int64_t rows, int64_t depth) {
  const int64_t a_row = tall ? 1 : a_step, a_depth = tall ? a_step : 1;
  for (; rows >= G2D_ROWS; rows -= G2D_ROWS, a += G2D_ROWS * a_row, c += G2D_ROWS * c_row)
    product_of_rows<G2D_ROWS, tall>(a, a_row, a_depth, b, b_depth, c, c_row, depth);
  if (rows > 0) last_rows<tall>(a, a_row, a_depth, b, b_depth, c, c_row, rows, depth);
}
