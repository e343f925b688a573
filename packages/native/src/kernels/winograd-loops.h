// The transforms of Winograd's convolution, for vectors of G2D_WIDTH floats; behind the loops of the product, whose vectors these are.

// One side of each transform, for vectors of channels. The names are Lavin and Gray's: Bᵀ takes the image's window to points, G the taps,
// Aᵀ the products at the points to outputs; the gradients need their adjoints.

/** F(2, 3): the points 0, 1, −1 and ∞. Adds and halves only. */
struct TwoOutputs {
  static constexpr int kWindow = 4, kPoints = 4, kOutputs = 2, kStep = 2, kPart = 24, kGathered = 48;

  /** Bᵀ d. */
  G2D_TARGET inline void image(const Vector* d, Vector* v) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[1] - d[3];
  }

  /** Aᵀ m. */
  G2D_TARGET inline void outputs(const Vector* m, Vector* y) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] - m[3];
  }

  /** A y. */
  G2D_TARGET inline void spread(const Vector* y, Vector* m) {
    m[0] = y[0];
    m[1] = y[0] + y[1];
    m[2] = y[0] - y[1];
    m[3] = -y[1];
  }

  /** G g. */
  G2D_TARGET inline void taps(const Vector* g, Vector* u) {
    const Vector even = 0.5f * (g[0] + g[2]), odd = 0.5f * g[1];
    u[0] = g[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = g[2];
  }

  /** Gᵀ u. */
  G2D_TARGET inline void gather(const Vector* u, Vector* g) {
    const Vector even = 0.5f * (u[1] + u[2]);
    g[0] = u[0] + even;
    g[1] = 0.5f * (u[1] - u[2]);
    g[2] = even + u[3];
  }
};

/**
 * F(4, 3): the points 0, ±5/8, ±3/2 and ∞. With them rounding costs a quarter of what it does with the usual ±1 and ±2: about twice as much
 * as in a direct convolution, whose sums are nine times as long.
 */
struct FourOutputs {
  static constexpr int kWindow = 6, kPoints = 6, kOutputs = 4, kStep = 4, kPart = 12, kGathered = 18;
  // Exact as floats, their products too.
  static constexpr float kNear = 0.625f, kFar = 1.5f, kNear2 = kNear * kNear, kFar2 = kFar * kFar;
  // By what Bᵀ's polynomials are at the points G divides.
  static constexpr float kOfZero = 1 / (kNear2 * kFar2), kOfFar = 1 / (2 * kFar2 * (kFar2 - kNear2));
  static constexpr float kOfNear = 1 / (2 * kNear2 * (kNear2 - kFar2));
  // Those of the taps' odd half.
  static constexpr float kOddNear = kNear * kOfNear, kOddFar = kFar * kOfFar;

  G2D_TARGET inline Vector fused(float factor, Vector a, Vector b) { return G2D_FMA(G2D_BROADCAST(factor), a, b); }

  G2D_TARGET inline void image(const Vector* d, Vector* v) {
    const Vector near = fused(-kFar2, d[2], d[4]), near_odd = fused(-kFar2, d[1], d[3]);
    const Vector far = fused(-kNear2, d[2], d[4]), far_odd = fused(-kNear2, d[1], d[3]);
    v[0] = fused(-kNear2, fused(-kFar2, d[0], d[2]), near);
    v[1] = fused(kNear, near_odd, near);
    v[2] = fused(-kNear, near_odd, near);
    v[3] = fused(kFar, far_odd, far);
    v[4] = fused(-kFar, far_odd, far);
    v[5] = fused(-kNear2, near_odd, fused(-kFar2, d[3], d[5]));
  }

  G2D_TARGET inline void outputs(const Vector* m, Vector* y) {
    const Vector near = m[1] + m[2], near_odd = m[1] - m[2], far = m[3] + m[4], far_odd = m[3] - m[4];
    y[0] = m[0] + near + far;
    y[1] = fused(kFar, far_odd, kNear * near_odd);
    y[2] = fused(kFar2, far, kNear2 * near);
    y[3] = fused(kFar * kFar2, far_odd, fused(kNear * kNear2, near_odd, m[5]));
  }

  G2D_TARGET inline void spread(const Vector* y, Vector* m) {
    const Vector near = fused(kNear2, y[2], y[0]), near_odd = fused(kNear2, y[3], y[1]);
    const Vector far = fused(kFar2, y[2], y[0]), far_odd = fused(kFar2, y[3], y[1]);
    m[0] = y[0];
    m[1] = fused(kNear, near_odd, near);
    m[2] = fused(-kNear, near_odd, near);
    m[3] = fused(kFar, far_odd, far);
    m[4] = fused(-kFar, far_odd, far);
    m[5] = y[3];
  }

  G2D_TARGET inline void taps(const Vector* g, Vector* u) {
    const Vector near = kOfNear * fused(kNear2, g[2], g[0]), far = kOfFar * fused(kFar2, g[2], g[0]);
    u[0] = kOfZero * g[0];
    u[1] = fused(kOddNear, g[1], near);
    u[2] = fused(-kOddNear, g[1], near);
    u[3] = fused(kOddFar, g[1], far);
    u[4] = fused(-kOddFar, g[1], far);
    u[5] = g[2];
  }

  G2D_TARGET inline void gather(const Vector* u, Vector* g) {
    const Vector near = kOfNear * (u[1] + u[2]), near_odd = kOddNear * (u[1] - u[2]);
    const Vector far = kOfFar * (u[3] + u[4]), far_odd = kOddFar * (u[3] - u[4]);
    g[0] = fused(kOfZero, u[0], near + far);
    g[1] = near_odd + far_odd;
    g[2] = fused(kFar2, far, fused(kNear2, near, u[5]));
  }
};

/** Stride 2: the outer taps meet every second value, for which F(2, 2) needs three products, and the middle one two others. */
struct Strided {
  static constexpr int kWindow = 5, kPoints = 5, kOutputs = 2, kStep = 4, kPart = 12, kGathered = 24;

  G2D_TARGET inline void image(const Vector* d, Vector* v) {
    v[0] = d[0] - d[2];
    v[1] = d[2];
    v[2] = d[2] - d[4];
    v[3] = d[1];
    v[4] = d[3];
  }

  G2D_TARGET inline void outputs(const Vector* m, Vector* y) {
    y[0] = m[0] + m[1] + m[3];
    y[1] = m[1] - m[2] + m[4];
  }

  G2D_TARGET inline void spread(const Vector* y, Vector* m) {
    m[0] = y[0];
    m[1] = y[0] + y[1];
    m[2] = -y[1];
    m[3] = y[0];
    m[4] = y[1];
  }

  G2D_TARGET inline void taps(const Vector* g, Vector* u) {
    u[0] = g[0];
    u[1] = g[0] + g[2];
    u[2] = g[2];
    u[3] = g[1];
    u[4] = g[1];
  }

  G2D_TARGET inline void gather(const Vector* u, Vector* g) {
    g[0] = u[0] + u[1];
    g[1] = u[3] + u[4];
    g[2] = u[1] + u[2];
  }
};

/** The image's gradient of that, with one zero before the image: of four values two meet the middle tap, two the outer ones. */
struct StridedBack {
  static constexpr int kWindow = 3, kPoints = 5, kOutputs = 4, kStep = 2, kPart = 12;

  G2D_TARGET inline void image(const Vector* dy, Vector* v) {
    v[0] = dy[0] - dy[1];
    v[1] = dy[1];
    v[2] = dy[1] - dy[2];
    v[3] = dy[0];
    v[4] = dy[1];
  }

  G2D_TARGET inline void outputs(const Vector* m, Vector* dx) {
    dx[0] = m[3];
    dx[1] = m[0] + m[1];
    dx[2] = m[4];
    dx[3] = m[1] - m[2];
  }

  G2D_TARGET inline void taps(const Vector* g, Vector* u) { Strided::taps(g, u); }
};

/** Values that lie anywhere, and values that lie a step apart. */
template <typename Float>
struct Places {
  Float* const* taps;
  int64_t channel;
};
template <typename Float>
struct Planes {
  Float* first;
  int64_t step;
};
/** Outputs, to which a bias is added. */
struct Biased {
  Places<float> places;
  Vector bias;
};
G2D_TARGET inline Vector load(const Places<const float>& from, int k) { return at(from.taps[k] + from.channel); }
G2D_TARGET inline Vector load(const Planes<const float>& from, int k) { return at(from.first + k * from.step); }
G2D_TARGET inline void store(const Planes<float>& to, int k, Vector value) { put(to.first + k * to.step, value); }
G2D_TARGET inline void store(const Biased& to, int k, Vector value) {
  put(to.places.taps[k] + to.places.channel, value + to.bias);
}

/** One side of a transform for the columns of size × size values, then for the rows of what comes. */
template <int size, int results, void (*side)(const Vector*, Vector*), typename From, typename To>
G2D_TARGET inline __attribute__((always_inline)) void both_sides(const From& from, const To& to) {
  Vector half[results][size];
#pragma GCC unroll 8
  for (int j = 0; j < size; j++) {
    Vector column[size], t[results];
#pragma GCC unroll 8
    for (int i = 0; i < size; i++) column[i] = load(from, size * i + j);
    side(column, t);
#pragma GCC unroll 8
    for (int i = 0; i < results; i++) half[i][j] = t[i];
  }
#pragma GCC unroll 8
  for (int i = 0; i < results; i++) {
    Vector t[results];
    side(half[i], t);
#pragma GCC unroll 8
    for (int j = 0; j < results; j++) store(to, results * i + j, t[j]);
  }
}

/** Bᵀ d B; taps[size · i + j] holds the channels of row i, column j. Point k goes to v + k · step. */
template <typename Form>
G2D_TARGET void transform_image(const float* const* taps, int64_t channels, float* v, int64_t step) {
  for (int64_t c = 0; c < channels; c += kWidth)
    both_sides<Form::kWindow, Form::kPoints, Form::image>(Places<const float>{taps, c}, Planes<float>{v + c, step});
}

/** A d Aᵀ: the adjoint of `restore_image`. */
template <typename Form>
G2D_TARGET void spread_image(const float* const* taps, int64_t channels, float* m, int64_t step) {
  for (int64_t c = 0; c < channels; c += kWidth)
    both_sides<Form::kOutputs, Form::kPoints, Form::spread>(Places<const float>{taps, c}, Planes<float>{m + c, step});
}

/** Aᵀ m A, and the bias. */
template <typename Form>
G2D_TARGET void restore_image(const float* m, int64_t step, int64_t channels, const float* bias, float* const* taps) {
  for (int64_t c = 0; c < channels; c += kWidth)
    both_sides<Form::kPoints, Form::kOutputs, Form::outputs>(Planes<const float>{m + c, step},
                                                             Biased{{taps, c}, at(bias + c)});
}

/** G g Gᵀ of one panel's columns; g[3i + j] is tap (i, j). Point k goes to u + k · step. */
template <typename Form>
G2D_TARGET void transform_filter(const float* const* g, float* u, int64_t step) {
  for (int64_t c = 0; c < kPanel; c += kWidth)
    both_sides<3, Form::kPoints, Form::taps>(Places<const float>{g, c}, Planes<float>{u + c, step});
}

/** Gᵀ u G: the 3 × 3 taps. Tap k goes to g + k · g_step. */
template <typename Form>
G2D_TARGET void restore_filter(const float* u, int64_t step, int64_t channels, float* g, int64_t g_step) {
  for (int64_t c = 0; c < channels; c += kWidth)
    both_sides<Form::kPoints, 3, Form::gather>(Planes<const float>{u + c, step}, Planes<float>{g + c, g_step});
}

template <typename Form>
inline void choose(WinogradForm& to) {
  to = {Form::kWindow, Form::kPoints, Form::kOutputs, Form::kStep, Form::kPart};
  to.transform_image = transform_image<Form>;
  to.restore_image = restore_image<Form>;
  to.transform_filter = transform_filter<Form>;
}

/** With what the filter's gradient needs. */
template <typename Form>
inline void choose_all(WinogradForm& to) {
  choose<Form>(to);
  to.gathered = Form::kGathered;
  to.spread_image = spread_image<Form>;
  to.restore_filter = restore_filter<Form>;
}

inline void choose(WinogradForms& forms) {
  choose_all<TwoOutputs>(forms.two_outputs);
  choose_all<FourOutputs>(forms.four_outputs);
  choose_all<Strided>(forms.strided);
  choose<StridedBack>(forms.strided_back);
}
