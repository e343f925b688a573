// The inner loops of depthwise convolution. Included once for each instruction set, with G2D_TARGET set to its attribute. Nothing is
// contracted to fused multiply-adds, and every sum has one order: every processor gives the same bits.

template <typename Floats>
G2D_TARGET inline Floats read(const float* from) {
  Floats value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/** What one value is the sum of: where its factors begin. */
struct Taps {
  int count = 0;
  const float* values[kMaxTaps];
  const float* weights[kMaxTaps];

  void add(const float* value, const float* weight) {
    values[count] = value;
    weights[count++] = weight;
  }
};

/** start + Σ value · weight for some channels, in registers. */
template <int blocks, typename Floats>
G2D_TARGET inline void sum_of_taps(const Taps& taps, const float* start, int64_t c, float* y) {
  const int64_t width = sizeof(Floats) / sizeof(float);
  Floats sum[blocks] = {};
  if (start)
    for (int n = 0; n < blocks; n++) sum[n] = read<Floats>(start + c + n * width);
  for (int t = 0; t < taps.count; t++) {
    const float* value = taps.values[t] + c;
    const float* weight = taps.weights[t] + c;
    for (int n = 0; n < blocks; n++) sum[n] += read<Floats>(value + n * width) * read<Floats>(weight + n * width);
  }
  for (int n = 0; n < blocks; n++) std::memcpy(y + c + n * width, &sum[n], sizeof(Floats));
}

G2D_TARGET inline void sum_all_channels(const Taps& taps, const float* start, int64_t channels, float* y) {
  int64_t c = 0;
  for (; c + 32 <= channels; c += 32) sum_of_taps<4, Floats8>(taps, start, c, y);
  for (; c + 16 <= channels; c += 16) sum_of_taps<2, Floats8>(taps, start, c, y);
  for (; c + 8 <= channels; c += 8) sum_of_taps<1, Floats8>(taps, start, c, y);
  for (; c < channels; c++) sum_of_taps<1, Floats1>(taps, start, c, y);
}

/** The same where every tap counts: values a row and a tap apart from each other. */
template <int window, int blocks, typename Floats>
G2D_TARGET inline void sum_of_window(const float* x, int64_t row, int64_t tap, const float* w, int64_t channels,
                                     const float* start, int64_t c, float* y) {
  const int64_t width = sizeof(Floats) / sizeof(float);
  Floats sum[blocks] = {};
  if (start)
    for (int n = 0; n < blocks; n++) sum[n] = read<Floats>(start + c + n * width);
  for (int i = 0; i < window; i++)
    for (int j = 0; j < window; j++) {
      const float* value = x + i * row + j * tap + c;
      const float* weight = w + (i * window + j) * channels + c;
      for (int n = 0; n < blocks; n++) sum[n] += read<Floats>(value + n * width) * read<Floats>(weight + n * width);
    }
  for (int n = 0; n < blocks; n++) std::memcpy(y + c + n * width, &sum[n], sizeof(Floats));
}

template <int window>
G2D_TARGET inline void sum_window_of_channels(const float* x, int64_t row, int64_t tap, const float* w,
                                              int64_t channels, const float* start, float* y) {
  int64_t c = 0;
  for (; c + 32 <= channels; c += 32) sum_of_window<window, 4, Floats8>(x, row, tap, w, channels, start, c, y);
  for (; c + 16 <= channels; c += 16) sum_of_window<window, 2, Floats8>(x, row, tap, w, channels, start, c, y);
  for (; c + 8 <= channels; c += 8) sum_of_window<window, 1, Floats8>(x, row, tap, w, channels, start, c, y);
  for (; c < channels; c++) sum_of_window<window, 1, Floats1>(x, row, tap, w, channels, start, c, y);
}

G2D_TARGET inline void sum_whole_window(int64_t window, const float* x, int64_t row, int64_t tap, const float* w,
                                        int64_t channels, const float* start, float* y) {
  if (window == 3) sum_window_of_channels<3>(x, row, tap, w, channels, start, y);
  if (window == 5) sum_window_of_channels<5>(x, row, tap, w, channels, start, y);
  if (window == 7) sum_window_of_channels<7>(x, row, tap, w, channels, start, y);
}

/** One row of outputs of one image. */
G2D_TARGET void depthwise_row(const Depthwise& d, const float* x, const float* w, const float* bias, int64_t row,
                              float* y) {
  const int64_t top = row * d.stride_height - d.top;
  const bool inside = top >= 0 && top + d.window <= d.height;
  // What the next row of outputs reads beside this one's comes while this one is computed.
  const int64_t fresh = std::min(d.stride_height, d.height - top - d.window);
  for (int64_t column = 0; column < d.out_width; column++, y += d.channels) {
    const int64_t left = column * d.stride_width - d.left;
    for (int64_t i = 0; i < fresh; i++)
      fetch(x + ((top + d.window + i) * d.width + column * d.stride_width) * d.channels, d.stride_width * d.channels);
    if (inside && left >= 0 && left + d.window <= d.width) {
      sum_whole_window(d.window, x + (top * d.width + left) * d.channels, d.width * d.channels, d.channels, w,
                       d.channels, bias, y);
      continue;
    }
    Taps taps;
    for (int64_t i = 0; i < d.window; i++) {
      const int64_t h = top + i;
      if (h < 0 || h >= d.height) continue;
      for (int64_t j = 0; j < d.window; j++) {
        const int64_t v = left + j;
        if (v < 0 || v >= d.width) continue;
        taps.add(x + (h * d.width + v) * d.channels, w + (i * d.window + j) * d.channels);
      }
    }
    sum_all_channels(taps, bias, d.channels, y);
  }
}

/** One row of the gradient of one image, from all outputs that saw it. */
G2D_TARGET void depthwise_image_row(const Depthwise& d, const float* w, const float* dy, int64_t row, float* dx) {
  // Without a stride the outputs that saw a value lie side by side, from the last to the first.
  const int64_t last = row + d.top;
  const bool dense = d.stride_height == 1 && d.stride_width == 1;
  const bool inside = dense && last < d.out_height && last >= d.window - 1;
  const int64_t next = (last + 1) / d.stride_height;
  const bool fresh = (last + 1) % d.stride_height == 0 && next < d.out_height;
  for (int64_t column = 0; column < d.width; column++, dx += d.channels) {
    const int64_t right = column + d.left;
    if (fresh && column % d.stride_width == 0 && column / d.stride_width < d.out_width)
      fetch(dy + (next * d.out_width + column / d.stride_width) * d.channels, d.channels);
    if (inside && right < d.out_width && right >= d.window - 1) {
      sum_whole_window(d.window, dy + (last * d.out_width + right) * d.channels, -d.out_width * d.channels,
                       -d.channels, w, d.channels, nullptr, dx);
      continue;
    }
    Taps taps;
    for (int64_t i = 0; i < d.window; i++) {
      const int64_t h = last - i;
      if (h < 0 || h % d.stride_height != 0 || h / d.stride_height >= d.out_height) continue;
      for (int64_t j = 0; j < d.window; j++) {
        const int64_t v = right - j;
        if (v < 0 || v % d.stride_width != 0 || v / d.stride_width >= d.out_width) continue;
        taps.add(dy + (h / d.stride_height * d.out_width + v / d.stride_width) * d.channels,
                 w + (i * d.window + j) * d.channels);
      }
    }
    sum_all_channels(taps, nullptr, d.channels, dx);
  }
}

/**
 * Adds x · dy of one output to the sums of one row of taps; `inside` where all of them lie in the image. Around it are zeros, whose
 * product with what is not a number is none.
 */
template <int window, int blocks, typename Floats, bool inside>
G2D_TARGET inline void add_column(const Depthwise& d, const float* x, const float* dy, int64_t column,
                                  Floats (*sum)[blocks]) {
  const int64_t width = sizeof(Floats) / sizeof(float);
  const int64_t first = column * d.stride_width - d.left;
  for (int n = 0; n < blocks; n++) {
    const Floats g = read<Floats>(dy + column * d.channels + n * width);
    for (int j = 0; j < window; j++)
      sum[j][n] += inside || (first + j >= 0 && first + j < d.width)
                       ? read<Floats>(x + (first + j) * d.channels + n * width) * g
                       : Floats{} * g;
  }
}

/** What the next row of outputs reads of x and dy: a share of it comes with each stripe of channels. */
struct NextRow {
  const float *x, *dy;
  int64_t of_x, of_dy, shares, share = 0;
};

G2D_TARGET inline void fetch_share(NextRow& next) {
  const int64_t k = next.share++, shares = next.shares;
  const int64_t x = next.of_x * k / shares, dy = next.of_dy * k / shares;
  fetch(next.x + x, next.of_x * (k + 1) / shares - x);
  fetch(next.dy + dy, next.of_dy * (k + 1) / shares - dy);
}

/** Σ over one row of outputs of x · dy, for one row of taps and some channels, in registers. */
template <int window, int blocks, typename Floats>
G2D_TARGET inline void filter_sums(const Depthwise& d, const float* x, const float* dy, double* total) {
  const int64_t width = sizeof(Floats) / sizeof(float);
  Floats sum[window][blocks] = {};
  // Where the whole window lies in the image.
  const int64_t from = std::min(d.out_width, (d.left + d.stride_width - 1) / d.stride_width);
  const int64_t fit = d.width - window + d.left;
  const int64_t to = fit < 0 ? from : std::max(from, std::min(d.out_width, fit / d.stride_width + 1));
  int64_t column = 0;
  for (; column < from; column++) add_column<window, blocks, Floats, false>(d, x, dy, column, sum);
  for (; column < to; column++) add_column<window, blocks, Floats, true>(d, x, dy, column, sum);
  for (; column < d.out_width; column++) add_column<window, blocks, Floats, false>(d, x, dy, column, sum);
  for (int j = 0; j < window; j++) {
    float values[blocks * sizeof(Floats) / sizeof(float)];
    std::memcpy(values, sum[j], sizeof values);
    for (int64_t n = 0; n < blocks * width; n++) total[j * d.channels + n] += values[n];
  }
}

template <int window>
G2D_TARGET inline void filter_row(const Depthwise& d, const float* x, const float* zeros, const float* dy,
                                  int64_t row, double* total) {
  const int64_t line_size = d.width * d.channels, below = row * d.stride_height + window - d.top;
  const int64_t lines = std::max<int64_t>(0, std::min(d.stride_height, d.height - below));
  NextRow next{x + below * line_size, dy + d.out_width * d.channels, lines * line_size,
               row + 1 < d.out_height ? d.out_width * d.channels : 0, window * std::max<int64_t>(1, d.channels / 16)};
  for (int64_t i = 0; i < window; i++) {
    const int64_t h = row * d.stride_height + i - d.top;
    const float* line = h < 0 || h >= d.height ? zeros : x + h * d.width * d.channels;
    double* own = total + i * window * d.channels;
    int64_t c = 0;
    for (; c + 16 <= d.channels; c += 16) {
      fetch_share(next);
      filter_sums<window, 2, Floats8>(d, line + c, dy + c, own + c);
    }
    for (; c + 8 <= d.channels; c += 8) filter_sums<window, 1, Floats8>(d, line + c, dy + c, own + c);
    for (; c < d.channels; c++) filter_sums<window, 1, Floats1>(d, line + c, dy + c, own + c);
  }
}

/** Adds what one row of outputs of one image gives to the filter's gradient; `zeros` are a row around the image. */
G2D_TARGET void depthwise_filter_row(const Depthwise& d, const float* x, const float* zeros, const float* dy,
                                     int64_t row, double* total) {
  if (d.window == 3) filter_row<3>(d, x, zeros, dy, row, total);
  if (d.window == 5) filter_row<5>(d, x, zeros, dy, row, total);
  if (d.window == 7) filter_row<7>(d, x, zeros, dy, row, total);
}
