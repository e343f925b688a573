// What training needs of a WebAssembly module beside tfjs-backend-wasm's: convolution with both gradients, matrix
// products, batch normalization and the optimizer. `npm run wasm` compiles it into src/kernels/wasm-bytes.ts; the tests also
// compile it for this machine, with sanitizers.
//
// It lives in the backend's own memory and must leave alone what is there: no variables outside of functions, none on the stack (the build
// refuses both). Pointers come from the backend's malloc. Every sum has one order, so that results are the same bits every time.

typedef float v4 __attribute__((vector_size(16)));
typedef float u4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef int m4 __attribute__((vector_size(16)));

#ifdef __wasm__
#define EXPORT(name) __attribute__((export_name(#name)))
#else
#define EXPORT(name)
#endif
#define NOINLINE __attribute__((noinline))
#define INLINE static inline __attribute__((always_inline))

INLINE v4 load(const float *p) { return *(const u4 *)p; }
INLINE void store(float *p, v4 v) { *(u4 *)p = v; }
INLINE v4 all(float f) { return (v4){f, f, f, f}; }
INLINE int least(int a, int b) { return a < b ? a : b; }
INLINE int most(int a, int b) { return a > b ? a : b; }
INLINE int eights(int n) { return (n + 7) / 8 * 8; }

// max(v, 0) that keeps NaN.
INLINE v4 rectified(v4 v) { return (v4)((m4)v & ~(v < all(0))); }
INLINE float rectified1(float f) { return f < 0 ? 0 : f; }

// 1 where ReLU let a value through, 0 where not, NaN where it is not a number: a factor, so that a gradient that is not finite stays so.
INLINE v4 passed(v4 y) {
  const m4 one = (m4)all(1), nan = (m4)all(__builtin_nanf(""));
  return (v4)((one & (y > all(0))) | (nan & (y != y)));
}
INLINE float passed1(float y) { return y > 0 ? 1 : y == y ? 0 : y; }

INLINE void copy(const float *from, float *to, int n) {
  int i = 0;
  for (; i + 4 <= n; i += 4) store(to + i, load(from + i));
  for (; i < n; i++) to[i] = from[i];
}
INLINE void zero(float *to, int n) {
  int i = 0;
  for (; i + 4 <= n; i += 4) store(to + i, all(0));
  for (; i < n; i++) to[i] = 0;
}
INLINE void add(const float *from, float *to, int n) {
  int i = 0;
  for (; i + 4 <= n; i += 4) store(to + i, load(to + i) + load(from + i));
  for (; i < n; i++) to[i] += from[i];
}

// --- Matrix products ---------------------------------------------------------------------------------------------

// Columns in groups of eight, zeros for those that are missing, each group's steps one after the other.
static NOINLINE void pack(const float *b, int step, int column, int steps, int columns, float *out) {
  for (int first = 0; first < columns; first += 8) {
    const int n = least(8, columns - first);
    for (int s = 0; s < steps; s++, out += 8) {
      const float *from = b + s * step + first * column;
      if (n == 8 && column == 1) {
        store(out, load(from));
        store(out + 4, load(from + 4));
      } else {
        for (int j = 0; j < 8; j++) out[j] = j < n ? from[j * column] : 0;
      }
    }
  }
}

// c[r, j] (+)= Σ_s a[r · row + s · step] · b[8 s + j], R rows by eight columns in registers.
INLINE void tile(const int R, const float *a, int row, int step, const float *b, int steps, float *c, int stride,
                 int columns, int adds) {
  v4 low[4] = {all(0), all(0), all(0), all(0)}, high[4] = {all(0), all(0), all(0), all(0)};
  for (int s = 0; s < steps; s++, a += step, b += 8) {
    const v4 b0 = load(b), b1 = load(b + 4);
    for (int r = 0; r < R; r++) {
      const v4 factor = all(a[r * row]);
      low[r] += factor * b0;
      high[r] += factor * b1;
    }
  }
  for (int r = 0; r < R; r++, c += stride) {
    if (columns == 8) {
      store(c, adds ? load(c) + low[r] : low[r]);
      store(c + 4, adds ? load(c + 4) + high[r] : high[r]);
    } else {
#define COLUMN(j, v, lane) \
  if (j < columns) c[j] = adds ? c[j] + v[r][lane] : v[r][lane];
      COLUMN(0, low, 0) COLUMN(1, low, 1) COLUMN(2, low, 2) COLUMN(3, low, 3)
      COLUMN(4, high, 0) COLUMN(5, high, 1) COLUMN(6, high, 2)
    }
  }
}

// c (+)= a b for a packed b; c's rows are `stride` apart.
static NOINLINE void product(const float *a, int row, int step, const float *packed, float *c, int stride, int rows,
                             int columns, int steps, int adds) {
  // So few rows at a time that they stay in the cache nearest to the core while all columns pass.
  for (int top = 0; top < rows; top += 64) {
    const int bottom = least(rows, top + 64);
    const float *group = packed;
    for (int first = 0; first < columns; first += 8, group += 8 * steps) {
      const int n = least(8, columns - first);
      int r = top;
      for (; r + 4 <= bottom; r += 4)
        tile(4, a + r * row, row, step, group, steps, c + r * stride + first, stride, n, adds);
      for (; r < bottom; r++)
        tile(1, a + r * row, row, step, group, steps, c + r * stride + first, stride, n, adds);
    }
  }
}

#ifndef STEPS
#define STEPS 256
#endif

// Room that matmul needs, in floats.
EXPORT(matmulWork)
int matmulWork(int columns, int steps) { return least(steps, STEPS) * eights(columns); }

// c[rows, columns] = a b, each operand transposed or not.
EXPORT(matmul)
void matmul(const float *a, const float *b, float *c, int rows, int columns, int steps, int transposeA, int transposeB,
            float *work) {
  const int row = transposeA ? 1 : steps, step = transposeA ? rows : 1;
  const int next = transposeB ? 1 : columns, column = transposeB ? steps : 1;
  if (steps == 0) zero(c, rows * columns);
  for (int first = 0; first < steps; first += STEPS) {
    const int count = least(STEPS, steps - first);
    pack(b + first * next, next, column, count, columns, work);
    product(a + first * step, row, step, work, c, columns, rows, columns, count, first > 0);
  }
}

// --- Convolution -------------------------------------------------------------------------------------------------

// [batch, height, width, channels] * [windowHeight, windowWidth, channels, filters] → [batch, outHeight, outWidth, filters]
struct convolution {
  int batch, height, width, channels, windowHeight, windowWidth, strideHeight, strideWidth, top, left, outHeight,
      outWidth, filters;
};

INLINE int patchSize(const struct convolution *w) { return w->windowHeight * w->windowWidth * w->channels; }
INLINE int places(const struct convolution *w) { return w->batch * w->outHeight * w->outWidth; }

// How many patches are taken at a time: as many as stay in a cache near the core.
#ifndef BLOCK
#define BLOCK 24576
#endif
INLINE int blockSize(const struct convolution *w) {
  return least(places(w), most(4, BLOCK / most(1, patchSize(w)) / 4 * 4));
}

// A patch is the image itself: nothing is to be gathered.
INLINE int isImage(const struct convolution *w) {
  const int unpadded = w->top == 0 && w->left == 0;
  const int point = w->windowHeight == 1 && w->windowWidth == 1 && w->strideHeight == 1 && w->strideWidth == 1 &&
                    w->outHeight == w->height && w->outWidth == w->width;
  const int whole = w->windowHeight == w->height && w->windowWidth == w->width && w->outHeight == 1 && w->outWidth == 1;
  return unpadded && (point || whole);
}

// Room that each of the three needs, in floats.
EXPORT(convolutionWork)
int convolutionWork(const struct convolution *w) {
  const int patch = patchSize(w), block = blockSize(w);
  const int packed = most(most(patch * eights(w->filters), block * eights(w->filters)), eights(patch) * w->filters);
  return packed + block * patch;
}

// Copies patches to `rows`, or adds `rows` to the patches (`back`). A row of a window is contiguous in an image.
INLINE void patches(const struct convolution *w, float *image, float *rows, int first, int count, const int back) {
  const int channels = w->channels, line = w->windowWidth * channels;
  for (int i = first; i < first + count; i++) {
    const int x = i % w->outWidth * w->strideWidth - w->left;
    const int y = i / w->outWidth % w->outHeight * w->strideHeight - w->top;
    const int begin = least(line, most(0, -x) * channels), end = most(begin, least(line, (w->width - x) * channels));
    const int offset = (i / w->outWidth / w->outHeight * w->height + y) * w->width + x;
    for (int r = 0; r < w->windowHeight; r++, rows += line) {
      const int inside = y + r >= 0 && y + r < w->height;
      float *at = image + (offset + r * w->width) * channels + begin;
      if (back) {
        if (inside) add(rows + begin, at, end - begin);
      } else if (inside) {
        zero(rows, begin);
        copy(at, rows + begin, end - begin);
        zero(rows + end, line - end);
      } else {
        zero(rows, line);
      }
    }
  }
}

EXPORT(convolution)
void convolution(const struct convolution *w, float *x, const float *filter, float *y, float *work) {
  const int patch = patchSize(w), all = places(w), block = blockSize(w), direct = isImage(w);
  float *gathered = work + patch * eights(w->filters);
  pack(filter, w->filters, 1, patch, w->filters, work);
  for (int first = 0; first < all; first += block) {
    const int count = least(block, all - first);
    if (!direct) patches(w, x, gathered, first, count, 0);
    product(direct ? x + first * patch : gathered, patch, 1, work, y + first * w->filters, w->filters, count,
            w->filters, patch, 0);
  }
}

// y + bias of the channel, rectified or not, in place. No bias: 0.
EXPORT(addBias)
void addBias(float *y, const float *bias, int rows, int channels, int relu) {
  for (int r = 0; r < rows; r++, y += channels) {
    int c = 0;
    for (; c + 4 <= channels; c += 4) {
      const v4 value = bias ? load(y + c) + load(bias + c) : load(y + c);
      store(y + c, relu ? rectified(value) : value);
    }
    for (; c < channels; c++) {
      const float value = bias ? y[c] + bias[c] : y[c];
      y[c] = relu ? rectified1(value) : value;
    }
  }
}

EXPORT(relu)
void relu(const float *x, float *y, int n) {
  int i = 0;
  for (; i + 4 <= n; i += 4) store(y + i, rectified(load(x + i)));
  for (; i < n; i++) y[i] = rectified1(x[i]);
}

EXPORT(filterGradient)
void filterGradient(const struct convolution *w, float *x, const float *dy, float *filter, float *work) {
  const int patch = patchSize(w), all = places(w), block = blockSize(w), direct = isImage(w);
  float *gathered = work + block * eights(w->filters);
  zero(filter, patch * w->filters);
  for (int first = 0; first < all; first += block) {
    const int count = least(block, all - first);
    pack(dy + first * w->filters, w->filters, 1, count, w->filters, work);
    if (!direct) patches(w, x, gathered, first, count, 0);
    product(direct ? x + first * patch : gathered, 1, patch, work, filter, w->filters, patch, w->filters, count,
            1);
  }
}

EXPORT(inputGradient)
void inputGradient(const struct convolution *w, const float *dy, const float *filter, float *x, float *work) {
  const int patch = patchSize(w), all = places(w), block = blockSize(w), direct = isImage(w);
  float *gathered = work + eights(patch) * w->filters;
  pack(filter, 1, w->filters, w->filters, patch, work);
  if (!direct) zero(x, w->batch * w->height * w->width * w->channels);
  for (int first = 0; first < all; first += block) {
    const int count = least(block, all - first);
    product(dy + first * w->filters, w->filters, 1, work, direct ? x + first * patch : gathered, patch, count,
            patch, w->filters, 0);
    if (!direct) patches(w, x, gathered, first, count, 1);
  }
}

// --- Batch normalization -----------------------------------------------------------------------------------------

// Rows whose sums are added up in float32, before they enter sums in double precision.
#define ROWS 64

// Σ over rows, by channel, of what TERM4 and TERM1 make of row `r` and channel `c`, into double *sums.
#define CHANNEL_SUMS(sums, TERM4, TERM1)                                        \
  for (int c = 0; c < channels; c++) sums[c] = 0;                               \
  for (int first = 0; first < rows; first += ROWS) {                            \
    const int last = least(rows, first + ROWS);                                 \
    int c = 0;                                                                  \
    for (; c + 4 <= channels; c += 4) {                                         \
      v4 part = all(0);                                                         \
      for (int r = first; r < last; r++) part += TERM4;                         \
      sums[c] += part[0];                                                       \
      sums[c + 1] += part[1];                                                   \
      sums[c + 2] += part[2];                                                   \
      sums[c + 3] += part[3];                                                   \
    }                                                                           \
    for (; c < channels; c++) {                                                 \
      float part = 0;                                                           \
      for (int r = first; r < last; r++) part += TERM1;                         \
      sums[c] += part;                                                          \
    }                                                                           \
  }

// Σ over rows, of each channel.
EXPORT(columnSums)
void columnSums(const float *x, int rows, int channels, float *y, double *sums) {
  CHANNEL_SUMS(sums, load(x + r * channels + c), x[r * channels + c])
  for (int c = 0; c < channels; c++) y[c] = sums[c];
}

// y = gamma (x − μ) / √(σ² + epsilon) + beta, and max(y, 0) if `relu`. `mean` and `inverse`: μ and 1 / √(σ² + epsilon). Running
// statistics move by `momentum`, the variance by the unbiased one. `sums`: a double for each channel.
EXPORT(batchNorm)
void batchNorm(const float *x, const float *gamma, const float *beta, const float *oldMean, const float *oldVariance,
               int rows, int channels, double epsilon, double momentum, int relu, float *y, float *newMean,
               float *newVariance, float *mean, float *inverse, double *sums) {
  CHANNEL_SUMS(sums, load(x + r * channels + c), x[r * channels + c])
  for (int c = 0; c < channels; c++) {
    mean[c] = sums[c] / rows;
    newMean[c] = oldMean[c] + (mean[c] - oldMean[c]) * momentum;
  }
#define DIFFERENCE4 (load(x + r * channels + c) - load(mean + c))
#define DIFFERENCE1 (x[r * channels + c] - mean[c])
  CHANNEL_SUMS(sums, DIFFERENCE4 * DIFFERENCE4, DIFFERENCE1 * DIFFERENCE1)
  for (int c = 0; c < channels; c++) {
    inverse[c] = 1 / __builtin_sqrt(sums[c] / rows + epsilon);
    const double unbiased = sums[c] / most(1, rows - 1);
    newVariance[c] = oldVariance[c] + (unbiased - oldVariance[c]) * momentum;
  }
  for (int r = 0; r < rows; r++, x += channels, y += channels) {
    int c = 0;
    for (; c + 4 <= channels; c += 4) {
      const v4 value = (load(x + c) - load(mean + c)) * (load(inverse + c) * load(gamma + c)) + load(beta + c);
      store(y + c, relu ? rectified(value) : value);
    }
    for (; c < channels; c++) {
      const float value = (x[c] - mean[c]) * (inverse[c] * gamma[c]) + beta[c];
      y[c] = relu ? rectified1(value) : value;
    }
  }
}

// With g = dy, where y let it through: dbeta = Σ g, dgamma = Σ g x̂, dx = gamma / σ (g − dbeta / n − x̂ dgamma / n).
EXPORT(batchNormGradient)
void batchNormGradient(const float *dy, const float *x, const float *y, const float *gamma, const float *mean,
                       const float *inverse, int rows, int channels, int relu, float *dx, float *dgamma, float *dbeta,
                       double *sums) {
#define OPEN4 (relu ? load(dy + r * channels + c) * passed(load(y + r * channels + c)) : load(dy + r * channels + c))
#define OPEN1 (relu ? dy[r * channels + c] * passed1(y[r * channels + c]) : dy[r * channels + c])
  CHANNEL_SUMS(sums, OPEN4, OPEN1)
  for (int c = 0; c < channels; c++) dbeta[c] = sums[c];
  CHANNEL_SUMS(sums, OPEN4 * (DIFFERENCE4 * load(inverse + c)), OPEN1 * (DIFFERENCE1 * inverse[c]))
  for (int c = 0; c < channels; c++) dgamma[c] = sums[c];
  const float share = 1.0 / rows;
  for (int r = 0; r < rows; r++) {
    int c = 0;
    for (; c + 4 <= channels; c += 4) {
      const v4 scale = load(gamma + c) * load(inverse + c), normalized = DIFFERENCE4 * load(inverse + c);
      const v4 rest = OPEN4 - load(dbeta + c) * all(share) - normalized * (load(dgamma + c) * all(share));
      store(dx + r * channels + c, scale * rest);
    }
    for (; c < channels; c++) {
      const float normalized = DIFFERENCE1 * inverse[c];
      const float rest = OPEN1 - dbeta[c] * share - normalized * (dgamma[c] * share);
      dx[r * channels + c] = gamma[c] * inverse[c] * rest;
    }
  }
}

// --- Layer normalization -----------------------------------------------------------------------------------------

// Σ over a row of what TERM4 and TERM1 make of column c.
#define ROW_SUM(sum, TERM4, TERM1)                      \
  double sum = 0;                                       \
  {                                                     \
    int c = 0;                                          \
    v4 part = all(0);                                   \
    for (; c + 4 <= width; c += 4) part += TERM4;       \
    sum = (double)part[0] + part[1] + part[2] + part[3]; \
    for (; c < width; c++) sum += TERM1;                \
  }

// Over the last axis: y = gamma (x − μ) / √(σ² + epsilon) + beta, μ and 1 / √(σ² + epsilon) of each row.
EXPORT(layerNorm)
void layerNorm(const float *x, const float *gamma, const float *beta, int rows, int width, double epsilon, float *y,
               float *mean, float *inverse) {
  for (int r = 0; r < rows; r++, x += width, y += width) {
    ROW_SUM(sum, load(x + c), x[c])
    const float mu = mean[r] = sum / width;
    ROW_SUM(squares, (load(x + c) - all(mu)) * (load(x + c) - all(mu)), (x[c] - mu) * (x[c] - mu))
    const float scale = inverse[r] = 1 / __builtin_sqrt(squares / width + epsilon);
    int c = 0;
    for (; c + 4 <= width; c += 4)
      store(y + c, (load(x + c) - all(mu)) * all(scale) * load(gamma + c) + load(beta + c));
    for (; c < width; c++) y[c] = (x[c] - mu) * scale * gamma[c] + beta[c];
  }
}

// With g = dy gamma: dx = (g − mean of g − x̂ mean of g x̂) / σ; dgamma = Σ dy x̂, dbeta = Σ dy over rows. `sums`: a double for each column.
EXPORT(layerNormGradient)
void layerNormGradient(const float *dy, const float *x, const float *gamma, const float *mean, const float *inverse,
                       int rows, int width, float *dx, float *dgamma, float *dbeta, double *sums) {
  const int channels = width;
  CHANNEL_SUMS(sums, load(dy + r * width + c), dy[r * width + c])
  for (int c = 0; c < width; c++) dbeta[c] = sums[c];
  CHANNEL_SUMS(sums, load(dy + r * width + c) * ((load(x + r * width + c) - all(mean[r])) * all(inverse[r])),
               dy[r * width + c] * ((x[r * width + c] - mean[r]) * inverse[r]))
  for (int c = 0; c < width; c++) dgamma[c] = sums[c];
  for (int r = 0; r < rows; r++, x += width, dy += width, dx += width) {
    const float mu = mean[r], scale = inverse[r];
    ROW_SUM(g, load(dy + c) * load(gamma + c), dy[c] * gamma[c])
    ROW_SUM(gx, load(dy + c) * load(gamma + c) * ((load(x + c) - all(mu)) * all(scale)),
            dy[c] * gamma[c] * ((x[c] - mu) * scale))
    const float middle = g / width, along = gx / width;
    int c = 0;
    for (; c + 4 <= width; c += 4) {
      const v4 normalized = (load(x + c) - all(mu)) * all(scale);
      store(dx + c, all(scale) * (load(dy + c) * load(gamma + c) - all(middle) - normalized * all(along)));
    }
    for (; c < width; c++)
      dx[c] = scale * (dy[c] * gamma[c] - middle - (x[c] - mu) * scale * along);
  }
}

// --- Attention ---------------------------------------------------------------------------------------------------

typedef unsigned int n4 __attribute__((vector_size(16)));

// e^x for x ≤ 0, to two units in the last place: 2^n e^r with |r| ≤ ln 2 / 2; NaN for NaN, 0 below the smallest normal number.
INLINE v4 exponential(v4 x) {
  // Adding 1.5 · 2²³ rounds to whole numbers and leaves n in the lowest bits.
  const v4 shifted = x * all(1.44269504f) + all(12582912);
  const v4 n = shifted - all(12582912);
  const v4 r = x - n * all(0.693359375f) - n * all(-2.12194440e-4f);
  v4 p = all(1.9875691500e-4f);
  p = p * r + all(1.3981999507e-3f);
  p = p * r + all(8.3334519073e-3f);
  p = p * r + all(4.1665795894e-2f);
  p = p * r + all(1.6666665459e-1f);
  p = p * r + all(5.0000001201e-1f);
  const v4 power = (v4)(((n4)shifted + 127) << 23);
  return (v4)((m4)((p * r * r + r + all(1)) * power) & ~(x < all(-87)));
}

// softmax(scale · row + mask) in place.
INLINE void softmax(float *row, const float *mask, int n, float scale) {
  float most = -__builtin_inff();
  for (int i = 0; i < n; i++) {
    row[i] = row[i] * scale + (mask ? mask[i] : 0);
    most = row[i] > most ? row[i] : most;
  }
  v4 part = all(0);
  int i = 0;
  for (; i + 4 <= n; i += 4) {
    const v4 value = exponential(load(row + i) - all(most));
    store(row + i, value);
    part += value;
  }
  float sum = part[0] + part[1] + part[2] + part[3];
  for (; i < n; i++) sum += row[i] = exponential(all(row[i] - most))[0];
  for (i = 0; i + 4 <= n; i += 4) store(row + i, load(row + i) / all(sum));
  for (; i < n; i++) row[i] /= sum;
}

INLINE void multiply(const float *a, const float *b, float *to, int n) {
  int i = 0;
  for (; i + 4 <= n; i += 4) store(to + i, load(a + i) * load(b + i));
  for (; i < n; i++) to[i] = a[i] * b[i];
}

// Room that both of the following need, in floats.
EXPORT(attentionWork)
int attentionWork(int time, int size) { return most(size * eights(time), time * eights(size)) + time * time; }

// head_h = factors · softmax(scale Q_h K_hᵀ + mask) V_h of projected [batch, time, 3 heads size]; y [batch, time, heads size], weights
// [batch, heads, time, time]; mask [batch, time] and factors, as large as the weights, may be 0.
EXPORT(attention)
void attention(const float *projected, const float *mask, const float *factors, int batch, int time, int heads, int size,
               float scale, float *y, float *weights, float *work) {
  const int width = heads * size, line = 3 * width, square = time * time;
  float *dropped = work + most(size * eights(time), time * eights(size));
  for (int i = 0; i < batch * heads; i++, weights += square) {
    const int sample = i / heads, first = i % heads * size;
    const float *q = projected + sample * time * line + first, *k = q + width, *v = k + width;
    pack(k, 1, line, size, time, work);
    product(q, line, 1, work, weights, time, time, time, size, 0);
    for (int t = 0; t < time; t++) softmax(weights + t * time, mask ? mask + sample * time : 0, time, scale);
    if (factors) multiply(weights, factors + i * square, dropped, square);
    pack(v, line, 1, time, size, work);
    product(factors ? dropped : weights, time, 1, work, y + sample * time * width + first, width, time, size, time, 0);
  }
}

// `dmask` [batch, time].
EXPORT(attentionGradient)
void attentionGradient(const float *dy, const float *projected, const float *weights, const float *factors, int batch,
                       int time, int heads, int size, float scale, float *dprojected, float *dmask, float *work) {
  const int width = heads * size, line = 3 * width, square = time * time;
  float *scores = work + most(size * eights(time), time * eights(size));
  zero(dmask, batch * time);
  for (int i = 0; i < batch * heads; i++, weights += square) {
    const int sample = i / heads, first = i % heads * size, offset = sample * time * line + first;
    const float *q = projected + offset, *k = q + width, *v = k + width, *d = dy + sample * time * width + first;
    const float *factor = factors ? factors + i * square : 0;
    float *dq = dprojected + offset, *dk = dq + width, *dv = dk + width;
    // The weights that were used, for the values' gradient.
    if (factor) multiply(weights, factor, scores, square);
    pack(d, width, 1, time, size, work);
    product(factor ? scores : weights, 1, time, work, dv, line, time, size, time, 0);
    pack(v, 1, line, size, time, work);
    product(d, width, 1, work, scores, time, time, time, size, 0);
    if (factor) multiply(scores, factor, scores, square);
    for (int t = 0; t < time; t++) {
      float *row = scores + t * time;
      const float *weight = weights + t * time;
      multiply(row, weight, row, time);
      float sum = 0;
      for (int j = 0; j < time; j++) sum += row[j];
      for (int j = 0; j < time; j++) {
        row[j] -= weight[j] * sum;
        dmask[sample * time + j] += row[j];
        row[j] *= scale;
      }
    }
    pack(k, line, 1, time, size, work);
    product(scores, time, 1, work, dq, line, time, size, time, 0);
    pack(q, line, 1, time, size, work);
    product(scores, 1, time, work, dk, line, time, size, time, 0);
  }
}

// --- Optimizer ---------------------------------------------------------------------------------------------------

// g ← g + λθ;  v ← μv + (1 − δ) g, or g without an old v;  θ ← θ − lr v, or θ − lr (g + μv) with Nesterov. In the arithmetic of the
// same rule in TensorFlow.js operations: the same bits.
EXPORT(sgd)
void sgd(const float *theta, const float *g, const float *v, float *newTheta, float *newV, int n, float rate,
         float momentum, float decay, float fresh, int nesterov) {
  int i = 0;
#define SGD(type, LOAD, STORE, SPLAT)                                                                       \
  const type old = LOAD(theta + i), slope = decay > 0 ? LOAD(g + i) + old * SPLAT(decay) : LOAD(g + i);      \
  const type added = fresh == 1 ? slope : slope * SPLAT(fresh);                                              \
  const type velocity = v ? LOAD(v + i) * SPLAT(momentum) + added : slope;                                   \
  STORE(newV + i, velocity);                                                                                 \
  STORE(newTheta + i, old - (nesterov ? slope + velocity * SPLAT(momentum) : velocity) * SPLAT(rate));
  for (; i + 4 <= n; i += 4) {
    SGD(v4, load, store, all)
  }
#define LOAD1(p) (*(p))
#define STORE1(p, value) (*(p) = (value))
#define SPLAT1(f) (f)
  for (; i < n; i++) {
    SGD(float, LOAD1, STORE1, SPLAT1)
  }
}
