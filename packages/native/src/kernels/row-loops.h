// The inner loops over rows: random words from a counter, dropout, layer normalization, softmax, noise. Included once for
// each instruction set, with G2D_TARGET set to its attribute. Nothing here may be contracted to fused multiply-adds, and
// vectors have eight values everywhere: so every processor gives the same bits, and JavaScript too where it has to.

G2D_TARGET inline void store(float* to, Floats8 value) { std::memcpy(to, &value, sizeof value); }

/**
 * Threefry2x32 with 13 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) of key (seed, 0) and eight
 * counters: a group of 16 words, first all that come first. `randomWords` of @g2d/tensor-ops gives the same.
 */
G2D_TARGET inline void random_words(uint32_t seed, int64_t group, Words8& first, Words8& second) {
  const uint64_t counter = static_cast<uint64_t>(group) * 8;
  const uint32_t key[3] = {seed, 0, 0x1BD11BDAu ^ seed};
  const int rotations[8] = {13, 15, 26, 6, 17, 29, 16, 24};
  const Words8 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
  Words8 a = lanes + static_cast<uint32_t>(counter) + key[0];
  Words8 b = Words8{} + static_cast<uint32_t>(counter >> 32) + key[1];
#pragma GCC unroll 13
  for (int round = 0; round < 13; round++) {
    a += b;
    b = (b << rotations[round % 8]) | (b >> (32 - rotations[round % 8]));
    b ^= a;
    if (round % 4 != 3) continue;
    const uint32_t turn = round / 4 + 1;
    a += key[turn % 3];
    b += key[(turn + 1) % 3] + turn;
  }
  first = a;
  second = b;
}

G2D_TARGET inline Floats8 kept(Words8 words, const Draw& draw) {
  const Floats8 factor = Floats8{} + draw.factor;
  return words >= draw.threshold ? factor : Floats8{};
}

/** Writes dropout's factors of places `from` to `from + count` of its stream. */
G2D_TARGET void factors(const Draw& draw, int64_t from, int64_t count, float* out) {
  from += draw.before;
  for (int64_t group = from / 16; group * 16 < from + count; group++) {
    Words8 first, second;
    random_words(draw.seed, group, first, second);
    const int64_t at = group * 16 - from;
    if (at >= 0 && at + 16 <= count) {
      store(out + at, kept(first, draw));
      store(out + at + 8, kept(second, draw));
    } else {
      float own[16];
      store(own, kept(first, draw));
      store(own + 8, kept(second, draw));
      for (int64_t i = std::max<int64_t>(0, -at); i < std::min<int64_t>(16, count - at); i++) out[at + i] = own[i];
    }
  }
}

/** y = x times the factors of its places. */
G2D_TARGET void dropout(const float* x, const Draw& draw, int64_t from, int64_t count, float* y) {
  const int64_t start = draw.before + from;
  float rest[16];
  int64_t i = std::min(count, (16 - start % 16) % 16);
  factors(draw, from, i, rest);
  for (int64_t j = 0; j < i; j++) y[j] = x[j] * rest[j];
  for (; i + 16 <= count; i += 16) {
    Words8 first, second;
    random_words(draw.seed, (start + i) / 16, first, second);
    store(y + i, load<Floats8>(x + i) * kept(first, draw));
    store(y + i + 8, load<Floats8>(x + i + 8) * kept(second, draw));
  }
  factors(draw, from + i, count - i, rest);
  for (int64_t j = 0; i < count; i++, j++) y[i] = x[i] * rest[j];
}

G2D_TARGET inline double lanes(Floats8 a, Floats8 b) {
  double total = 0;
  for (int i = 0; i < 8; i++) total += static_cast<double>(a[i]) + static_cast<double>(b[i]);
  return total;
}

// Float32 over so many values, double from one such block to the next.
constexpr int64_t kBlock = 1024;

/** Σx. */
G2D_TARGET inline double total(const float* x, int64_t count) {
  double all = 0;
  int64_t i = 0;
  while (i + 16 <= count) {
    Floats8 a = {}, b = {};
    for (const int64_t end = std::min(count, i + kBlock); i + 16 <= end; i += 16) {
      a += load<Floats8>(x + i);
      b += load<Floats8>(x + i + 8);
    }
    all += lanes(a, b);
  }
  for (; i < count; i++) all += x[i];
  return all;
}

/** Σ(x − mean)². */
G2D_TARGET inline double deviations(const float* x, float mean, int64_t count) {
  double all = 0;
  int64_t i = 0;
  while (i + 16 <= count) {
    Floats8 a = {}, b = {};
    for (const int64_t end = std::min(count, i + kBlock); i + 16 <= end; i += 16) {
      const Floats8 p = load<Floats8>(x + i) - mean, q = load<Floats8>(x + i + 8) - mean;
      a += p * p;
      b += q * q;
    }
    all += lanes(a, b);
  }
  for (; i < count; i++) {
    const float d = x[i] - mean;
    all += static_cast<double>(d * d);
  }
  return all;
}

/** Σxy. */
G2D_TARGET inline double inner_product(const float* x, const float* y, int64_t count) {
  double all = 0;
  int64_t i = 0;
  while (i + 16 <= count) {
    Floats8 a = {}, b = {};
    for (const int64_t end = std::min(count, i + kBlock); i + 16 <= end; i += 16) {
      a += load<Floats8>(x + i) * load<Floats8>(y + i);
      b += load<Floats8>(x + i + 8) * load<Floats8>(y + i + 8);
    }
    all += lanes(a, b);
  }
  for (; i < count; i++) all += static_cast<double>(x[i] * y[i]);
  return all;
}

/**
 * y = (s − μ)/σ γ + β of rows of C values from `row` on, where s = residual + dropout(x), or x alone without a residual. Scratch: C.
 */
G2D_TARGET void layer_norm(const LayerNorm& n, const float* x, const float* residual, int64_t row, int64_t rows,
                           float* sum, float* y, float* mean, float* inverse, float* scratch) {
  const int64_t channels = n.channels;
  const float* __restrict__ gamma = n.gamma;
  const float* __restrict__ beta = n.beta;
  for (int64_t r = row; r < row + rows; r++) {
    const int64_t at = r * channels;
    const float* s = x + at;
    if (residual) {
      const float* __restrict__ own = x + at;
      const float* __restrict__ other = residual + at;
      float* __restrict__ to = sum + at;
      if (n.draw.threshold > 0) {
        factors(n.draw, at, channels, scratch);
        for (int64_t c = 0; c < channels; c++) to[c] = other[c] + own[c] * scratch[c];
      } else {
        for (int64_t c = 0; c < channels; c++) to[c] = other[c] + own[c];
      }
      s = to;
    }
    const float center = static_cast<float>(total(s, channels) / channels);
    const double variance = deviations(s, center, channels) / channels;
    const float scale = static_cast<float>(1 / std::sqrt(variance + n.epsilon));
    mean[r] = center;
    inverse[r] = scale;
    float* __restrict__ out = y + at;
    for (int64_t c = 0; c < channels; c++) out[c] = (s[c] - center) * scale * gamma[c] + beta[c];
  }
}

/**
 * Gradients of some rows: ds = (g − Σg/C − ŝ Σgŝ/C)/σ with g = dy γ and ŝ = (s − μ)/σ, and dx = ds through the dropout. Adds dy ŝ and dy
 * to sums over rows. Scratch: 4C.
 */
G2D_TARGET void layer_norm_gradient(const LayerNorm& n, const float* sum, const float* dy, const float* mean,
                                    const float* inverse, int64_t row, int64_t rows, float* ds, float* dx,
                                    double* dgamma, double* dbeta, float* scratch) {
  const int64_t channels = n.channels;
  const float* __restrict__ gamma = n.gamma;
  float* __restrict__ weighted = scratch;
  float* __restrict__ plain = scratch + channels;
  float* __restrict__ g = scratch + 2 * channels;
  float* __restrict__ normal = scratch + 3 * channels;
  for (int64_t c = 0; c < 2 * channels; c++) scratch[c] = 0;
  for (int64_t r = row; r < row + rows; r++) {
    const int64_t at = r * channels;
    const float* __restrict__ d = dy + at;
    const float* __restrict__ s = sum + at;
    const float center = mean[r], scale = inverse[r];
    for (int64_t c = 0; c < channels; c++) {
      normal[c] = (s[c] - center) * scale;
      g[c] = d[c] * gamma[c];
      weighted[c] += d[c] * normal[c];
      plain[c] += d[c];
    }
    const float a = static_cast<float>(total(g, channels) / channels);
    const float b = static_cast<float>(inner_product(g, normal, channels) / channels);
    float* __restrict__ out = ds + at;
    for (int64_t c = 0; c < channels; c++) out[c] = scale * ((g[c] - a) - normal[c] * b);
    if (n.draw.threshold == 0) continue;
    factors(n.draw, at, channels, g);
    float* __restrict__ through = dx + at;
    for (int64_t c = 0; c < channels; c++) through[c] = out[c] * g[c];
  }
  for (int64_t c = 0; c < channels; c++) {
    dgamma[c] += weighted[c];
    dbeta[c] += plain[c];
  }
}

G2D_TARGET inline Floats8 as_floats(Ints8 bits) {
  Floats8 value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

G2D_TARGET inline Ints8 as_bits(Floats8 value) {
  Ints8 bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/** eˣ for x ≤ 0, to 2 units in the last place (Cephes); 0 below −87.3, not a number where x is none. */
G2D_TARGET inline Floats8 exponential(Floats8 x) {
  const Floats8 least = Floats8{} - 87.3f;
  const Floats8 inside = x > least ? x : least;
  // Rounds to the next integer by pushing the fraction out of the mantissa.
  const float push = 12582912.0f;
  const Floats8 n = (inside * 1.44269504f + push) - push;
  const Floats8 r = (inside - n * 0.693359375f) + n * 2.12194440e-4f;
  Floats8 p = Floats8{} + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const Floats8 y = p * (r * r) + r + 1.0f;
  const Ints8 power = (__builtin_convertvector(n, Ints8) + 127) << 23;
  const Floats8 value = x > least ? y * as_floats(power) : Floats8{};
  return x != x ? x : value;
}

/**
 * Softmax of a row of `count` products times scale, plus a mask if there is one, in place. Values up to the next multiple of eight are
 * written too.
 */
G2D_TARGET void softmax_row(float* row, int64_t count, float scale, const float* mask) {
  const int64_t width = (count + 7) / 8 * 8;
  for (int64_t c = 0; c < count; c++) row[c] *= scale;
  if (mask)
    for (int64_t c = 0; c < count; c++) row[c] += mask[c];
  for (int64_t c = count; c < width; c++) row[c] = -INFINITY;
  Floats8 best = Floats8{} - INFINITY;
  for (int64_t c = 0; c < width; c += 8) {
    const Floats8 value = load<Floats8>(row + c);
    best = value > best ? value : best;
  }
  float largest = best[0];
  for (int i = 1; i < 8; i++) largest = best[i] > largest ? best[i] : largest;
  Floats8 sums = {};
  for (int64_t c = 0; c < width; c += 8) {
    const Floats8 value = exponential(load<Floats8>(row + c) - largest);
    sums += value;
    store(row + c, value);
  }
  const float inverse = static_cast<float>(1 / lanes(sums, Floats8{}));
  for (int64_t c = 0; c < width; c += 8) store(row + c, load<Floats8>(row + c) * inverse);
}

/** Multiplies values by others. */
G2D_TARGET void multiply_row(float* __restrict__ row, const float* __restrict__ by, int64_t count) {
  for (int64_t c = 0; c < count; c++) row[c] *= by[c];
}

/**
 * One row of attention's gradient: from softmax's p and the gradient d of what the dropout left, d becomes that of the products, p what
 * was left of p. Without dropout there are no factors.
 */
G2D_TARGET void softmax_gradient_row(float* __restrict__ p, float* __restrict__ d, int64_t count, float scale,
                                     const float* factors) {
  if (factors) multiply_row(d, factors, count);
  const float along = static_cast<float>(inner_product(p, d, count));
  for (int64_t c = 0; c < count; c++) d[c] = (p[c] * (d[c] - along)) * scale;
  if (factors) multiply_row(p, factors, count);
}

/** √(−2 ln u), u = (word or 1) / 2³²: the logarithm is that of Cephes. */
G2D_TARGET inline Floats8 radius(Words8 words) {
  const Ints8 high = __builtin_convertvector(words >> 16, Ints8);
  const Ints8 low = __builtin_convertvector((words | 1) & 0xffff, Ints8);
  // The only rounding is that of the sum.
  const Floats8 u = (__builtin_convertvector(high, Floats8) * 65536.0f + __builtin_convertvector(low, Floats8)) *
                    2.3283064365386963e-10f;
  const Ints8 bits = as_bits(u);
  const Ints8 one = Ints8{} + 1;
  Floats8 m = as_floats((bits & 0x7fffff) | 0x3f000000);
  const Ints8 below = m < 0.707106781186547524f;
  const Floats8 e = __builtin_convertvector(((bits >> 23) - 126) - (below & one), Floats8);
  m = (m - 1.0f) + (below ? m : Floats8{});
  const Floats8 z = m * m;
  Floats8 p = Floats8{} + 7.0376836292e-2f;
  p = p * m + -1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m + -1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m + -1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m + -2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  p = p * m * z + e * -2.12194440e-4f + z * -0.5f;
  const Floats8 squared = ((m + p) + e * 0.693359375f) * -2.0f;
  const Floats8 positive = squared > 0.0f ? squared : Floats8{};
  Floats8 root;
  for (int i = 0; i < 8; i++) root[i] = __builtin_sqrtf(positive[i]);
  return root;
}

/** Sixteen standard normal numbers by Box-Muller: the group's first words give the radii, its second the angles. */
G2D_TARGET inline void normals(uint32_t seed, int64_t group, Floats8& first, Floats8& second) {
  Words8 a, b;
  random_words(seed, group, a, b);
  const Floats8 length = radius(a);
  const Ints8 quadrant = __builtin_convertvector(b >> 30, Ints8);
  // What is left of the angle, from −π/4 to π/4.
  const Floats8 t = __builtin_convertvector(__builtin_convertvector(b << 2, Ints8), Floats8) * 3.6572952e-10f;
  const Floats8 z = t * t;
  Floats8 sine = Floats8{} + -1.9515295891e-4f;
  sine = sine * z + 8.3321608736e-3f;
  sine = sine * z + -1.6666654611e-1f;
  sine = sine * z * t + t;
  Floats8 cosine = Floats8{} + 2.443315711809948e-5f;
  cosine = cosine * z + -1.388731625493765e-3f;
  cosine = cosine * z + 4.166664568298827e-2f;
  cosine = cosine * (z * z) - z * 0.5f + 1.0f;
  const Ints8 odd = (quadrant & 1) == 1;
  const Floats8 x = odd ? sine : cosine, y = odd ? cosine : sine;
  const Floats8 minus = Floats8{} - 1.0f, plus = Floats8{} + 1.0f;
  first = length * (((quadrant + 1) & 2) == 2 ? minus : plus) * x;
  second = length * (quadrant > 1 ? minus : plus) * y;
}

/** Adds values to mean and m2 = Σ(x − mean)², which stand for `before` values so far. */
G2D_TARGET void spread(const float* x, int64_t count, int64_t before, double* mean, double* m2) {
  const double own = total(x, count) / count;
  const double squares = deviations(x, static_cast<float>(own), count);
  merge(1, count, &own, &squares, before, mean, m2);
}

/** y = κ x + s n, where n are the normal numbers of places `from` on. `from` is a multiple of 16. */
G2D_TARGET void add_noise(const float* x, int64_t from, int64_t count, uint32_t seed, float coefficient,
                          float deviation, float* y) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    Floats8 first, second;
    normals(seed, (from + i) / 16, first, second);
    store(y + i, load<Floats8>(x + i) * coefficient + first * deviation);
    store(y + i + 8, load<Floats8>(x + i + 8) * coefficient + second * deviation);
  }
  if (i == count) return;
  Floats8 first, second;
  normals(seed, (from + i) / 16, first, second);
  for (int64_t j = 0; i < count; i++, j++)
    y[i] = x[i] * coefficient + (j < 8 ? first[j & 7] : second[j & 7]) * deviation;
}
