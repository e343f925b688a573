// The inner loops of matrix products, for vectors of G2D_WIDTH places: of a float32 each, or of two bfloat16 that follow one another in the
// depth. Included once for each instruction set, with G2D_TARGET, G2D_WIDTH, G2D_ROWS, G2D_FMA and G2D_BROADCAST set.

typedef float Vector __attribute__((vector_size(G2D_WIDTH * sizeof(float)), aligned(4), may_alias));
constexpr int64_t kWidth = G2D_WIDTH;
/** Columns and rows that a product computes at once: as many sums as there are registers for them. */
constexpr int64_t kPanel = 2 * G2D_WIDTH;
constexpr int64_t kRows = G2D_ROWS;

// Values, not references: through a reference Clang forgets that they need not be aligned.
G2D_TARGET inline Vector at(const float* place) { return *reinterpret_cast<const Vector*>(place); }
G2D_TARGET inline void put(float* place, Vector value) { *reinterpret_cast<Vector*>(place) = value; }

/** Σₖ a[row, k] b[k, column] of rows × panel, in registers. */
template <int rows>
G2D_TARGET inline __attribute__((always_inline)) void sums_of_rows(const float* a, int64_t a_row, int64_t a_depth,
                                                                    const float* b, int64_t b_depth, int64_t depth,
                                                                    Vector (&sum)[rows][2]) {
  for (int64_t k = 0; k < depth; k++, a += a_depth, b += b_depth) {
    const Vector left = at(b), right = at(b + kWidth);
#if G2D_WIDTH == 16
    // A panel and what comes beside it are more than the first cache keeps.
    __builtin_prefetch(b + 8 * b_depth);
    __builtin_prefetch(b + 8 * b_depth + kWidth);
#endif
#pragma GCC unroll 16
    for (int row = 0; row < rows; row++) {
      const Vector factor = G2D_BROADCAST(a[row * a_row]);
      sum[row][0] = G2D_FMA(factor, left, sum[row][0]);
      sum[row][1] = G2D_FMA(factor, right, sum[row][1]);
    }
  }
}

/** c (rows × panel) = or += Σₖ a[row, k] b[k, column]. */
template <int rows, bool add>
G2D_TARGET inline __attribute__((always_inline)) void product_of_rows(const float* a, int64_t a_row, int64_t a_depth,
                                                                       const float* b, int64_t b_depth, float* c,
                                                                       int64_t c_row, int64_t depth) {
  Vector sum[rows][2] = {};
  sums_of_rows<rows>(a, a_row, a_depth, b, b_depth, depth, sum);
#pragma GCC unroll 16
  for (int row = 0; row < rows; row++, c += c_row) {
    put(c, add ? at(c) + sum[row][0] : sum[row][0]);
    put(c + kWidth, add ? at(c + kWidth) + sum[row][1] : sum[row][1]);
  }
}

/** The same into rows that lie anywhere; b is packed, [depth, kPanel], and a is, [depth, kRows], or has rows a step apart. */
template <int rows, bool packed>
G2D_TARGET void tile(const float* a, int64_t a_step, const float* b, int64_t depth, float* const* c, bool add) {
  Vector sum[rows][2] = {};
  sums_of_rows<rows>(a, packed ? 1 : a_step, packed ? kRows : 1, b, kPanel, depth, sum);
#pragma GCC unroll 16
  for (int row = 0; row < rows; row++) {
    float* to = c[row];
    put(to, add ? at(to) + sum[row][0] : sum[row][0]);
    put(to + kWidth, add ? at(to + kWidth) + sum[row][1] : sum[row][1]);
  }
}

typedef void (*TileFunction)(const float*, int64_t, const float*, int64_t, float* const*, bool);

template <int... rows>
TileFunction tile_of(int64_t wanted, bool packed, std::integer_sequence<int, rows...>) {
  static const TileFunction all[][2] = {{tile<rows + 1, false>, tile<rows + 1, true>}...};
  return all[wanted - 1][packed];
}

/** For so many rows, at most kRows. */
inline TileFunction tile_for(int64_t rows, bool packed) {
  return tile_of(rows, packed, std::make_integer_sequence<int, G2D_ROWS>());
}

/** c + bias, if there is one, and the activation of that; what is not a number stays what it is. */
G2D_TARGET void finish(float* __restrict__ c, const float* __restrict__ bias, Activation a, int64_t columns) {
  if (bias)
    for (int64_t i = 0; i < columns; i++) c[i] += bias[i];
  const Bend form = bend(a);
  if (form == Bend::kRelu || form == Bend::kBound)
    for (int64_t i = 0; i < columns; i++) c[i] = c[i] < 0 ? 0 : c[i];
  if (form == Bend::kBound)
    for (int64_t i = 0; i < columns; i++) c[i] = c[i] > a.most ? a.most : c[i];
  if (form == Bend::kLeaky)
    for (int64_t i = 0; i < columns; i++) c[i] = c[i] < 0 ? a.slope * c[i] : c[i];
}
