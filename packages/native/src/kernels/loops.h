// The inner loops, over rows of C channels each. Included once for each instruction set, with G2D_TARGET set to its
// attribute. Nothing here may be contracted to fused multiply-adds (-ffp-contract=off): the gradient decides by the
// same expression as the forward pass whether the activation let a value through, and every processor gives the same bits.

/** (x − μ) s + β, with s = γ/σ. */
G2D_TARGET inline float normalized(float x, float mean, float scale, float beta) {
  return (x - mean) * scale + beta;
}

/** The activation of a value; not a number stays what it is. */
template <Bend bend>
G2D_TARGET inline float activated(float v, Activation a) {
  if (bend == Bend::kRelu || bend == Bend::kBound) v = v < 0 ? 0 : v;
  if (bend == Bend::kBound) v = v > a.most ? a.most : v;
  if (bend == Bend::kLeaky) v = v < 0 ? a.slope * v : v;
  return v;
}

/**
 * g: dy times the slope of the activation, which the value that it saw tells as well as the one that it gave. A product: what is
 * not a number, in either, stays one.
 */
template <Bend bend>
G2D_TARGET inline float gated(float value, float dy, Activation a) {
  if (bend == Bend::kNone) return dy;
  // Never closed, so that nothing is lost: what is not a number is below 0 here, as in plain layers.
  if (bend == Bend::kLeaky) return dy * (value > 0 ? 1.0f : a.slope);
  float open = value > 0 ? 1.0f : 0.0f;
  if (bend == Bend::kBound) open = value < a.most ? open : 0.0f;
  return dy * (value != value ? value : open);
}

// The loop for an activation's form.
#define G2D_BY_BEND(activation, call)                         \
  switch (bend(activation)) {                                 \
    case Bend::kNone: call(Bend::kNone); break;               \
    case Bend::kRelu: call(Bend::kRelu); break;               \
    case Bend::kBound: call(Bend::kBound); break;             \
    case Bend::kLeaky: call(Bend::kLeaky); break;             \
  }

template <typename Floats>
G2D_TARGET inline Floats load(const float* from) {
  Floats value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/** Adds rows to mean and m2 = Σ(x − mean)², which stand for `count` rows so far. Scratch: 2C. */
G2D_TARGET void moments(const float* x, int64_t rows, int64_t channels, int64_t count, int64_t ahead, double* mean,
                        double* m2, float* scratch) {
  float* __restrict__ sum = scratch;
  float* __restrict__ square = scratch + channels;
  const int64_t paired = rows / 4 * 4;
  for (int64_t c = 0; c < channels; c++) sum[c] = square[c] = 0;
  for (int64_t r = 0; r < paired; r += 4) {
    const float* p = x + r * channels;
    if (ahead) fetch(p + ahead, 4 * channels);
    for (int64_t c = 0; c < channels; c++)
      sum[c] += (p[c] + p[c + channels]) + (p[c + 2 * channels] + p[c + 3 * channels]);
  }
  for (int64_t r = paired; r < rows; r++)
    for (int64_t c = 0; c < channels; c++) sum[c] += x[r * channels + c];
  // The rows are in the cache now: deviations from their own mean lose nothing where the mean is large.
  const float inverse = 1.0f / rows;
  for (int64_t c = 0; c < channels; c++) sum[c] *= inverse;
  for (int64_t r = 0; r < paired; r += 4) {
    const float* p = x + r * channels;
    for (int64_t c = 0; c < channels; c++) {
      const float d0 = p[c] - sum[c], d1 = p[c + channels] - sum[c];
      const float d2 = p[c + 2 * channels] - sum[c], d3 = p[c + 3 * channels] - sum[c];
      square[c] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
    }
  }
  for (int64_t r = paired; r < rows; r++)
    for (int64_t c = 0; c < channels; c++) {
      const float d = x[r * channels + c] - sum[c];
      square[c] += d * d;
    }
  merge(channels, rows, sum, square, count, mean, m2);
}

template <Bend bend>
G2D_TARGET inline void normalize_rows(const float* __restrict__ x, const float* __restrict__ residual,
                                      float* __restrict__ y, int64_t rows, int64_t channels,
                                      const float* __restrict__ mean, const float* __restrict__ scale,
                                      const float* __restrict__ beta, Activation a) {
  for (int64_t r = 0; r < rows; r++, x += channels, y += channels) {
    if (residual) {
      for (int64_t c = 0; c < channels; c++)
        y[c] = activated<bend>(normalized(x[c], mean[c], scale[c], beta[c]) + residual[c], a);
      residual += channels;
    } else {
      for (int64_t c = 0; c < channels; c++)
        y[c] = activated<bend>(normalized(x[c], mean[c], scale[c], beta[c]), a);
    }
  }
}

/** y = (x − μ) s + β, plus a residual if there is one, and the activation of that. */
G2D_TARGET void normalize(const float* x, const float* residual, float* y, int64_t rows, int64_t channels,
                          const float* mean, const float* scale, const float* beta, Activation a) {
#define G2D_CALL(bend) normalize_rows<bend>(x, residual, y, rows, channels, mean, scale, beta, a)
  G2D_BY_BEND(a, G2D_CALL)
#undef G2D_CALL
}

template <Bend bend>
G2D_TARGET inline void activate_all(const float* x, float* y, int64_t count, Activation a) {
  for (int64_t i = 0; i < count; i++) y[i] = activated<bend>(x[i], a);
}

/** y may be x. */
G2D_TARGET void activate(Activation a, const float* x, float* y, int64_t count) {
#define G2D_CALL(bend) activate_all<bend>(x, y, count, a)
  G2D_BY_BEND(a, G2D_CALL)
#undef G2D_CALL
}

template <Bend bend>
G2D_TARGET inline void gradient_of_all(const float* __restrict__ dy, const float* __restrict__ y,
                                       float* __restrict__ dx, int64_t count, Activation a) {
  for (int64_t i = 0; i < count; i++) dx[i] = gated<bend>(y[i], dy[i], a);
}

/** dx = dy times the activation's slope at what gave y. */
G2D_TARGET void activation_gradient(Activation a, const float* dy, const float* y, float* dx, int64_t count) {
#define G2D_CALL(bend) gradient_of_all<bend>(dy, y, dx, count, a)
  G2D_BY_BEND(a, G2D_CALL)
#undef G2D_CALL
}

/** Some rows at once, so that what belongs to a channel is read once for them; see `gradient_sums`. */
template <Gate gate, Bend bend, int rows>
G2D_TARGET inline void sums_of_rows(Activation a, const float* __restrict__ dy, const float* __restrict__ x,
                                    const float* __restrict__ y, float* __restrict__ inner, int64_t channels,
                                    const float* __restrict__ mean, const float* __restrict__ scale,
                                    const float* __restrict__ beta, float* __restrict__ sum,
                                    float* __restrict__ product) {
  for (int64_t c = 0; c < channels; c++) {
    float s = 0, p = 0;
    for (int row = 0; row < rows; row++) {
      const int64_t at = row * channels + c;
      float g = dy[at];
      if (gate == Gate::kInput) g = gated<bend>(normalized(x[at], mean[c], scale[c], beta[c]), g, a);
      if (gate == Gate::kOutput) inner[at] = g = gated<bend>(y[at], g, a);
      s += g;
      p += g * (x[at] - mean[c]);
    }
    sum[c] += s;
    product[c] += p;
  }
}

template <Gate gate, Bend bend>
G2D_TARGET inline void sums_of_block(Activation a, const float* dy, const float* x, const float* y, float* inner,
                                     int64_t rows, int64_t channels, int64_t ahead, const float* mean, const float* scale,
                                     const float* beta, float* sum, float* product) {
  const bool out = gate == Gate::kOutput;
  const int64_t paired = rows / 4 * 4;
  for (int64_t at = 0; at < paired * channels; at += 4 * channels) {
    if (ahead) {
      fetch(dy + at + ahead, 4 * channels);
      fetch(x + at + ahead, 4 * channels);
      if (out) fetch(y + at + ahead, 4 * channels);
      if (out) fetch<true>(inner + at + ahead, 4 * channels);
    }
    sums_of_rows<gate, bend, 4>(a, dy + at, x + at, out ? y + at : y, out ? inner + at : inner, channels, mean, scale,
                                beta, sum, product);
  }
  for (int64_t at = paired * channels; at < rows * channels; at += channels)
    sums_of_rows<gate, bend, 1>(a, dy + at, x + at, out ? y + at : y, out ? inner + at : inner, channels, mean, scale,
                                beta, sum, product);
}

/**
 * Adds Σg and Σg(x − μ) of some rows. With `kInput` the value that the activation saw is computed from x again; with `kOutput` the
 * one that it gave is read from y, and g is written to `inner`, the gradient of both summands. Scratch: 2C.
 */
G2D_TARGET void gradient_sums(Gate gate, Activation a, const float* dy, const float* x, const float* y, float* inner,
                              int64_t rows, int64_t channels, int64_t ahead, const float* mean, const float* scale,
                              const float* beta, double* total, double* weighted, float* scratch) {
  float* sum = scratch;
  float* product = scratch + channels;
  for (int64_t c = 0; c < 2 * channels; c++) scratch[c] = 0;
#define G2D_INPUT(bend) \
  sums_of_block<Gate::kInput, bend>(a, dy, x, y, inner, rows, channels, ahead, mean, scale, beta, sum, product)
#define G2D_OUTPUT(bend) \
  sums_of_block<Gate::kOutput, bend>(a, dy, x, y, inner, rows, channels, ahead, mean, scale, beta, sum, product)
  if (gate == Gate::kInput) {
    G2D_BY_BEND(a, G2D_INPUT)
  } else {
    G2D_BY_BEND(a, G2D_OUTPUT)
  }
#undef G2D_INPUT
#undef G2D_OUTPUT
  for (int64_t c = 0; c < channels; c++) {
    total[c] += sum[c];
    weighted[c] += product[c];
  }
}

/** Some rows at once; see `gradient_input`. */
template <Bend bend, int rows>
G2D_TARGET inline void input_of_rows(Activation activation, const float* __restrict__ dy, const float* __restrict__ x,
                                     float* __restrict__ dx, int64_t channels, const float* __restrict__ mean,
                                     const float* __restrict__ scale, const float* __restrict__ beta,
                                     const float* __restrict__ a, const float* __restrict__ b) {
  for (int64_t c = 0; c < channels; c++) {
    for (int row = 0; row < rows; row++) {
      const int64_t at = row * channels + c;
      const float g = gated<bend>(normalized(x[at], mean[c], scale[c], beta[c]), dy[at], activation);
      dx[at] = scale[c] * ((g - a[c]) - (x[at] - mean[c]) * b[c]);
    }
  }
}

template <Bend bend>
G2D_TARGET inline void input_of_block(Activation activation, const float* dy, const float* x, float* dx, int64_t rows,
                                      int64_t channels, int64_t ahead, const float* mean, const float* scale,
                                      const float* beta, const float* a, const float* b) {
  const int64_t paired = rows / 4 * 4;
  for (int64_t at = 0; at < paired * channels; at += 4 * channels) {
    if (ahead) {
      fetch(dy + at + ahead, 4 * channels);
      fetch(x + at + ahead, 4 * channels);
      fetch<true>(dx + at + ahead, 4 * channels);
    }
    input_of_rows<bend, 4>(activation, dy + at, x + at, dx + at, channels, mean, scale, beta, a, b);
  }
  for (int64_t at = paired * channels; at < rows * channels; at += channels)
    input_of_rows<bend, 1>(activation, dy + at, x + at, dx + at, channels, mean, scale, beta, a, b);
}

/** dx = s (g − a − (x − μ) b), with a = Σg / n and b = Σg(x − μ) / (n σ²). */
G2D_TARGET void gradient_input(Activation activation, const float* dy, const float* x, float* dx, int64_t rows,
                               int64_t channels, int64_t ahead, const float* mean, const float* scale, const float* beta,
                               const float* a, const float* b) {
#define G2D_CALL(bend) input_of_block<bend>(activation, dy, x, dx, rows, channels, ahead, mean, scale, beta, a, b)
  G2D_BY_BEND(activation, G2D_CALL)
#undef G2D_CALL
}

/**
 * A window's best, in registers: some vectors of channels at once, since each waits for its own last comparison. Every window has
 * a place in the image.
 */
template <bool alone, int blocks, typename Floats, typename Ints, typename Bytes>
G2D_TARGET inline void pool_window(const float* x, const Pool& p, int64_t h0, int64_t w0, const float* sign,
                                   float* winner, uint8_t* place) {
  const int64_t top = std::max<int64_t>(0, -h0), bottom = std::min(p.window_height, p.height - h0);
  const int64_t left = std::max<int64_t>(0, -w0), right = std::min(p.window_width, p.width - w0);
  const int64_t width = sizeof(Floats) / sizeof(float);
  Floats direction[blocks] = {}, best[blocks], won[blocks];
  Ints at[blocks];
  for (int n = 0; n < blocks; n++) {
    if (!alone) direction[n] = load<Floats>(sign + n * width);
    won[n] = load<Floats>(x + ((h0 + top) * p.width + w0 + left) * p.channels + n * width);
    best[n] = alone ? won[n] : won[n] * direction[n];
    at[n] = Ints{} + static_cast<int32_t>(top * p.window_width + left);
  }
  for (int64_t i = top; i < bottom; i++) {
    const float* row = x + ((h0 + i) * p.width + w0) * p.channels;
    for (int64_t j = left; j < right; j++) {
      const Ints tap = Ints{} + static_cast<int32_t>(i * p.window_width + j);
      for (int n = 0; n < blocks; n++) {
        const Floats value = load<Floats>(row + j * p.channels + n * width);
        const Floats key = alone ? value : value * direction[n];
        // What is not a number wins and stays; of equals the first.
        const auto more = !(key <= best[n]) & (best[n] == best[n]);
        best[n] = more ? key : best[n];
        if (!alone) won[n] = more ? value : won[n];
        at[n] = more ? tap : at[n];
      }
    }
  }
  for (int n = 0; n < blocks; n++) {
    const Floats value = alone ? best[n] : won[n];
    const Bytes bytes = __builtin_convertvector(at[n], Bytes);
    std::memcpy(winner + n * width, &value, sizeof value);
    std::memcpy(place + n * width, &bytes, sizeof bytes);
  }
}

/**
 * One row of windows: the x that won and its place in the window. What is largest times `sign` (1, −1 or 0, for each channel)
 * wins; with `alone` what is largest.
 */
template <bool alone>
G2D_TARGET void max_pool_row(const float* x, const Pool& p, int64_t row, const float* sign, float* winner,
                             uint8_t* place) {
  const int64_t h0 = row * p.stride_height - p.pad_height, below = h0 + p.window_height;
  const int64_t fresh = std::min(p.stride_height, p.height - below);
  for (int64_t column = 0; column < p.out_width; column++, winner += p.channels, place += p.channels) {
    const int64_t w0 = column * p.stride_width - p.pad_width;
    // For the next row of windows.
    for (int64_t i = 0; i < fresh; i++)
      fetch(x + ((below + i) * p.width + column * p.stride_width) * p.channels, p.stride_width * p.channels);
    int64_t c = 0;
    const auto of = [&](int64_t channel) { return alone ? nullptr : sign + channel; };
    for (; c + 16 <= p.channels; c += 16)
      pool_window<alone, 2, Floats8, Ints8, Bytes8>(x + c, p, h0, w0, of(c), winner + c, place + c);
    for (; c + 8 <= p.channels; c += 8)
      pool_window<alone, 1, Floats8, Ints8, Bytes8>(x + c, p, h0, w0, of(c), winner + c, place + c);
    for (; c < p.channels; c++)
      pool_window<alone, 1, Floats1, Ints1, Bytes1>(x + c, p, h0, w0, of(c), winner + c, place + c);
  }
}

/**
 * The same, and y, the rectified maximum of the normalized values. The largest of them comes from the largest x where s > 0, from
 * the smallest where s < 0; `sign` is that of s.
 */
G2D_TARGET void pool_row(const float* x, const Pool& p, int64_t row, const float* __restrict__ mean,
                         const float* __restrict__ scale, const float* __restrict__ beta, const float* sign,
                         float* __restrict__ y, float* __restrict__ winner, uint8_t* place) {
  max_pool_row<false>(x, p, row, sign, winner, place);
  for (int64_t column = 0; column < p.out_width; column++, y += p.channels, winner += p.channels)
    for (int64_t c = 0; c < p.channels; c++)       y[c] = activated<Bend::kRelu>(normalized(winner[c], mean[c], scale[c], beta[c]), {});
}

/**
 * One row of dx, from all windows that the row lies in. dy, winner and place begin at the image's first window. Without
 * normalization (`alone`) only dy, place and dx are looked at.
 */
template <bool alone>
G2D_TARGET void pool_gradient_row(const float* dy, const float* winner, const uint8_t* place,
                                  const float* __restrict__ x, float* __restrict__ dx, const Pool& p, int64_t row,
                                  const float* __restrict__ mean, const float* __restrict__ scale,
                                  const float* __restrict__ beta, const float* __restrict__ a,
                                  const float* __restrict__ b, float* scratch) {
  const int64_t last_row = std::min((row + p.pad_height) / p.stride_height, p.out_height - 1);
  const int64_t first_row = first_window(row + p.pad_height, p.window_height, p.stride_height);
  for (int64_t column = 0; column < p.width; column++, dx += p.channels) {
    float* __restrict__ g = alone ? dx : scratch;
    if (!alone) fetch(x + kAhead, p.channels);
    fetch<true>(dx + kAhead, p.channels);
    const int64_t last = std::min((column + p.pad_width) / p.stride_width, p.out_width - 1);
    const int64_t first = first_window(column + p.pad_width, p.window_width, p.stride_width);
    for (int64_t c = 0; c < p.channels; c++) g[c] = 0;
    for (int64_t i = first_row; i <= last_row; i++) {
      for (int64_t j = first; j <= last; j++) {
        const int32_t tap = static_cast<int32_t>((row + p.pad_height - i * p.stride_height) * p.window_width +
                                                 (column + p.pad_width - j * p.stride_width));
        const int64_t offset = (i * p.out_width + j) * p.channels;
        const float* __restrict__ d = dy + offset;
        const float* __restrict__ won = alone ? d : winner + offset;
        const uint8_t* __restrict__ at = place + offset;
        for (int64_t c = 0; c < p.channels; c++) {
          const float open = alone ? d[c] : gated<Bend::kRelu>(normalized(won[c], mean[c], scale[c], beta[c]), d[c], {});
          g[c] += at[c] == tap ? open : 0;
        }
      }
    }
    if (alone) continue;
    for (int64_t c = 0; c < p.channels; c++) dx[c] = scale[c] * ((g[c] - a[c]) - (x[c] - mean[c]) * b[c]);
    x += p.channels;
  }
}

#undef G2D_BY_BEND
