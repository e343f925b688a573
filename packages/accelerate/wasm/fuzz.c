// Every kernel on random shapes next to plain loops in double precision: `cc -fsanitize=address,undefined fuzz.c -lm && ./a.out ROUNDS`. Each
// array is as long as the kernel may read and write, so that the sanitizer sees one element too many.
// Small blocks, so that small operands have several.
#define BLOCK 256
#define STEPS 8
#include "kernels.c"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long long state = 88172645463325252ull;
static double uniform(void) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (state >> 11) * 0x1p-53;
}
static int between(int low, int high) { return low + (int)(uniform() * (high - low + 1)); }
static float *numbers(int n) {
  float *a = malloc(sizeof(float) * (n > 0 ? n : 1));
  for (int i = 0; i < n; i++) a[i] = 2 * uniform() - 1;
  return a;
}
static double *zeros(int n) { return calloc(n > 0 ? n : 1, sizeof(double)); }

static int failures = 0;
// `size`: the largest sum of magnitudes that an element may have.
static void expect(const char *what, const float *found, const double *wanted, int n, double size) {
  for (int i = 0; i < n; i++) {
    if (fabs(found[i] - wanted[i]) <= 1e-6 * size) continue;
    printf("%s: element %d of %d is %.9g, not %.9g\n", what, i, n, found[i], wanted[i]);
    failures++;
    return;
  }
}

static void fuzzMatmul(void) {
  const int rows = between(1, 140), columns = between(1, 19), steps = between(0, 27);
  const int ta = between(0, 1), tb = between(0, 1);
  float *a = numbers(rows * steps), *b = numbers(steps * columns), *c = numbers(rows * columns);
  float *work = numbers(matmulWork(columns, steps));
  double *wanted = zeros(rows * columns);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++)
      for (int s = 0; s < steps; s++)
        wanted[i * columns + j] += (double)a[ta ? s * rows + i : i * steps + s] * b[tb ? j * steps + s : s * columns + j];
  matmul(a, b, c, rows, columns, steps, ta, tb, work);
  expect("matmul", c, wanted, rows * columns, 1 + steps);
  free(a), free(b), free(c), free(work), free(wanted);
}

static void fuzzConvolution(void) {
  struct convolution w = {.batch = between(1, 3), .height = between(1, 9), .width = between(1, 9)};
  w.channels = between(1, 9), w.filters = between(1, 18);
  w.windowHeight = between(1, 5), w.windowWidth = between(1, 5);
  w.strideHeight = between(1, 3), w.strideWidth = between(1, 3);
  w.top = between(0, w.windowHeight), w.left = between(0, w.windowWidth);
  // Some convolutions are a whole image or a point.
  if (between(0, 5) == 0) w.windowHeight = w.height, w.windowWidth = w.width, w.top = w.left = 0;
  if (between(0, 5) == 0) w.windowHeight = w.windowWidth = w.strideHeight = w.strideWidth = 1, w.top = w.left = 0;
  const int bottom = between(0, 2), right = between(0, 2);
  if (w.height + w.top + bottom < w.windowHeight || w.width + w.left + right < w.windowWidth) return;
  w.outHeight = (w.height + w.top + bottom - w.windowHeight) / w.strideHeight + 1;
  w.outWidth = (w.width + w.left + right - w.windowWidth) / w.strideWidth + 1;
  const int patch = patchSize(&w), out = places(&w) * w.filters, in = w.batch * w.height * w.width * w.channels;
  float *x = numbers(in), *filter = numbers(patch * w.filters), *dy = numbers(out), *bias = numbers(w.filters);
  float *y = numbers(out), *dx = numbers(in), *dw = numbers(patch * w.filters), *work = numbers(convolutionWork(&w));
  double *wantedY = zeros(out), *wantedX = zeros(in), *wantedW = zeros(patch * w.filters);
  for (int place = 0; place < places(&w); place++)
    for (int i = 0; i < w.windowHeight; i++)
      for (int j = 0; j < w.windowWidth; j++) {
        const int column = place % w.outWidth * w.strideWidth - w.left + j;
        const int row = place / w.outWidth % w.outHeight * w.strideHeight - w.top + i;
        if (row < 0 || row >= w.height || column < 0 || column >= w.width) continue;
        const int pixel = ((place / w.outWidth / w.outHeight * w.height + row) * w.width + column) * w.channels;
        for (int c = 0; c < w.channels; c++)
          for (int f = 0; f < w.filters; f++) {
            const int tap = ((i * w.windowWidth + j) * w.channels + c) * w.filters + f;
            wantedY[place * w.filters + f] += (double)x[pixel + c] * filter[tap];
            wantedX[pixel + c] += (double)dy[place * w.filters + f] * filter[tap];
            wantedW[tap] += (double)dy[place * w.filters + f] * x[pixel + c];
          }
      }
  convolution(&w, x, filter, y, work);
  expect("convolution", y, wantedY, out, 1 + patch);
  inputGradient(&w, dy, filter, dx, work);
  expect("inputGradient", dx, wantedX, in, 1 + patch * w.filters);
  filterGradient(&w, x, dy, dw, work);
  expect("filterGradient", dw, wantedW, patch * w.filters, 1 + places(&w));
  const int relu = between(0, 1), biased = between(0, 1);
  for (int i = 0; i < out; i++) {
    wantedY[i] += biased ? bias[i % w.filters] : 0;
    if (relu && wantedY[i] < 0) wantedY[i] = 0;
  }
  addBias(y, biased ? bias : 0, places(&w), w.filters, relu);
  expect("addBias", y, wantedY, out, 2 + patch);
  free(x), free(filter), free(dy), free(bias), free(y), free(dx), free(dw), free(work);
  free(wantedY), free(wantedX), free(wantedW);
}

static void fuzzBatchNorm(void) {
  const int rows = between(2, 200), channels = between(1, 11), n = rows * channels, relu = between(0, 1);
  const double epsilon = 1e-2, momentum = uniform();
  float *x = numbers(n), *gamma = numbers(channels), *beta = numbers(channels), *dy = numbers(n), *y = numbers(n);
  float *oldMean = numbers(channels), *oldVariance = numbers(channels), *newMean = numbers(channels);
  float *newVariance = numbers(channels), *mean = numbers(channels), *inverse = numbers(channels);
  float *dx = numbers(n), *dgamma = numbers(channels), *dbeta = numbers(channels);
  double *sums = zeros(channels), *wanted = zeros(n), *small = zeros(4 * channels);
  batchNorm(x, gamma, beta, oldMean, oldVariance, rows, channels, epsilon, momentum, relu, y, newMean, newVariance, mean,
            inverse, sums);
  batchNormGradient(dy, x, y, gamma, mean, inverse, rows, channels, relu, dx, dgamma, dbeta, sums);
  double *wantedX = zeros(n);
  for (int c = 0; c < channels; c++) {
    double mu = 0, variance = 0, g = 0, gx = 0;
    for (int r = 0; r < rows; r++) mu += x[r * channels + c] / (double)rows;
    for (int r = 0; r < rows; r++) variance += (x[r * channels + c] - mu) * (x[r * channels + c] - mu);
    const double sigma = sqrt(variance / rows + epsilon);
    for (int r = 0; r < rows; r++) {
      const int i = r * channels + c;
      wanted[i] = (x[i] - mu) / sigma * gamma[c] + beta[c];
      if (relu && wanted[i] < 0) wanted[i] = 0;
      // Which values count is the kernel's own decision: next to 0 rounding decides.
      const double open = relu && !(y[i] > 0) ? 0 : dy[i];
      g += open, gx += open * (x[i] - mu) / sigma;
    }
    for (int r = 0; r < rows; r++) {
      const int i = r * channels + c;
      const double open = relu && !(y[i] > 0) ? 0 : dy[i];
      wantedX[i] = gamma[c] / sigma * (open - g / rows - (x[i] - mu) / sigma * gx / rows);
    }
    small[c] = gx, small[channels + c] = g;
    small[2 * channels + c] = oldMean[c] + (mu - oldMean[c]) * momentum;
    small[3 * channels + c] = oldVariance[c] + (variance / (rows - 1) - oldVariance[c]) * momentum;
  }
  expect("batchNorm", y, wanted, n, 10);
  expect("mean", newMean, small + 2 * channels, channels, 2);
  expect("variance", newVariance, small + 3 * channels, channels, 2);
  expect("batchNormGradient", dx, wantedX, n, 100);
  expect("dgamma", dgamma, small, channels, 10 + rows);
  expect("dbeta", dbeta, small + channels, channels, 10 + rows);
  free(x), free(gamma), free(beta), free(dy), free(y), free(oldMean), free(oldVariance), free(newMean);
  free(newVariance), free(mean), free(inverse), free(dx), free(dgamma), free(dbeta), free(sums), free(wanted);
  free(small), free(wantedX);
}

static void fuzzLayerNorm(void) {
  const int rows = between(1, 90), width = between(1, 11), n = rows * width;
  const double epsilon = 1e-2;
  float *x = numbers(n), *gamma = numbers(width), *beta = numbers(width), *dy = numbers(n), *y = numbers(n);
  float *mean = numbers(rows), *inverse = numbers(rows), *dx = numbers(n), *dgamma = numbers(width);
  float *dbeta = numbers(width);
  double *sums = zeros(width), *wanted = zeros(n), *wantedX = zeros(n), *slopes = zeros(width), *offsets = zeros(width);
  layerNorm(x, gamma, beta, rows, width, epsilon, y, mean, inverse);
  layerNormGradient(dy, x, gamma, mean, inverse, rows, width, dx, dgamma, dbeta, sums);
  for (int r = 0; r < rows; r++) {
    const float *a = x + r * width, *d = dy + r * width;
    double mu = 0, variance = 0, g = 0, gx = 0;
    for (int c = 0; c < width; c++) mu += a[c] / (double)width;
    for (int c = 0; c < width; c++) variance += (a[c] - mu) * (a[c] - mu) / width;
    const double sigma = sqrt(variance + epsilon);
    for (int c = 0; c < width; c++) {
      const double normalized = (a[c] - mu) / sigma;
      wanted[r * width + c] = normalized * gamma[c] + beta[c];
      g += d[c] * (double)gamma[c] / width, gx += d[c] * (double)gamma[c] * normalized / width;
      slopes[c] += d[c] * normalized, offsets[c] += d[c];
    }
    for (int c = 0; c < width; c++)
      wantedX[r * width + c] = (d[c] * (double)gamma[c] - g - (a[c] - mu) / sigma * gx) / sigma;
  }
  expect("layerNorm", y, wanted, n, 10);
  expect("layerNormGradient", dx, wantedX, n, 100);
  expect("slopes", dgamma, slopes, width, 10 + rows);
  expect("offsets", dbeta, offsets, width, 10 + rows);
  free(x), free(gamma), free(beta), free(dy), free(y), free(mean), free(inverse), free(dx), free(dgamma), free(dbeta);
  free(sums), free(wanted), free(wantedX), free(slopes), free(offsets);
}

static void fuzzAttention(void) {
  const int batch = between(1, 2), time = between(1, 9), heads = between(1, 3), size = between(1, 9);
  const int width = heads * size, line = 3 * width, n = batch * time * line, square = time * time;
  const float scale = 0.5 + uniform();
  const int masked = between(0, 1), dropped = between(0, 1);
  float *x = numbers(n), *mask = numbers(batch * time), *factors = numbers(batch * heads * square);
  float *y = numbers(batch * time * width), *weights = numbers(batch * heads * square), *dy = numbers(batch * time * width);
  float *dx = numbers(n), *dmask = numbers(batch * time), *work = numbers(attentionWork(time, size));
  double *wantedY = zeros(batch * time * width), *wantedX = zeros(n), *wantedMask = zeros(batch * time);
  double *w = zeros(square), *g = zeros(square);
  // Large scores too: differences that e^x makes 0 of.
  if (between(0, 3) == 0)
    for (int i = 0; i < n; i++) x[i] *= 12;
  attention(x, masked ? mask : 0, dropped ? factors : 0, batch, time, heads, size, scale, y, weights, work);
  attentionGradient(dy, x, weights, dropped ? factors : 0, batch, time, heads, size, scale, dx, dmask, work);
  double most = 1;
  for (int i = 0; i < n; i++) most = fmax(most, fabs(x[i]));
  for (int i = 0; i < batch * heads; i++) {
    const int b = i / heads, h = i % heads;
#define AT(part, t, j) ((b * time + (t)) * line + (part) * width + h * size + (j))
#define OUT(t, j) ((b * time + (t)) * width + h * size + (j))
    const float *factor = factors + i * square;
    for (int t = 0; t < time; t++) {
      double sum = 0, along = 0, highest = -INFINITY;
      for (int u = 0; u < time; u++) {
        double score = masked ? mask[b * time + u] : 0;
        for (int j = 0; j < size; j++) score += (double)scale * x[AT(0, t, j)] * x[AT(1, u, j)];
        w[t * time + u] = score, highest = fmax(highest, score);
      }
      for (int u = 0; u < time; u++) sum += w[t * time + u] = exp(w[t * time + u] - highest);
      for (int u = 0; u < time; u++) {
        w[t * time + u] /= sum;
        const double used = dropped ? factor[t * time + u] : 1;
        double slope = 0;
        for (int j = 0; j < size; j++) {
          wantedY[OUT(t, j)] += w[t * time + u] * used * x[AT(2, u, j)];
          wantedX[AT(2, u, j)] += w[t * time + u] * used * dy[OUT(t, j)];
          slope += used * dy[OUT(t, j)] * x[AT(2, u, j)];
        }
        g[t * time + u] = slope * w[t * time + u], along += g[t * time + u];
      }
      for (int u = 0; u < time; u++) {
        const double slope = g[t * time + u] - w[t * time + u] * along;
        wantedMask[b * time + u] += slope;
        for (int j = 0; j < size; j++) {
          wantedX[AT(0, t, j)] += scale * slope * x[AT(1, u, j)];
          wantedX[AT(1, u, j)] += scale * slope * x[AT(0, t, j)];
        }
      }
    }
  }
  // A score of 12 · 12 · 9 is rounded at 1e-4.
  const double wide = most * most * size * most;
  expect("attention", y, wantedY, batch * time * width, 2 * wide);
  expect("attentionGradient", dx, wantedX, n, 10 * time * wide * most);
  expect("dmask", dmask, wantedMask, batch * time, 10 * time * heads * wide);
  free(x), free(mask), free(factors), free(y), free(weights), free(dy), free(dx), free(dmask), free(work);
  free(wantedY), free(wantedX), free(wantedMask), free(w), free(g);
}

static void fuzzColumnSums(void) {
  const int rows = between(0, 150), channels = between(1, 11);
  float *x = numbers(rows * channels), *y = numbers(channels);
  double *wanted = zeros(channels), *sums = zeros(channels);
  for (int i = 0; i < rows * channels; i++) wanted[i % channels] += x[i];
  columnSums(x, rows, channels, y, sums);
  expect("columnSums", y, wanted, channels, 1 + rows);
  free(x), free(y), free(wanted), free(sums);
}

static void fuzzRelu(void) {
  const int n = between(0, 9);
  float *x = numbers(n), *y = numbers(n);
  double *wanted = zeros(n);
  for (int i = 0; i < n; i++) wanted[i] = x[i] > 0 ? x[i] : 0;
  relu(x, y, n);
  expect("relu", y, wanted, n, 1);
  free(x), free(y), free(wanted);
}

static void fuzzSGD(void) {
  const int n = between(0, 13), first = between(0, 1), nesterov = between(0, 1);
  const float rate = uniform(), momentum = uniform(), decay = between(0, 1) * uniform(), fresh = between(0, 1) ? 1 : uniform();
  float *theta = numbers(n), *g = numbers(n), *v = numbers(n), *newTheta = numbers(n), *newV = numbers(n);
  double *wanted = zeros(n), *velocity = zeros(n);
  for (int i = 0; i < n; i++) {
    const double slope = g[i] + (double)theta[i] * decay;
    velocity[i] = first ? slope : (double)v[i] * momentum + slope * fresh;
    wanted[i] = theta[i] - (nesterov ? slope + velocity[i] * momentum : velocity[i]) * rate;
  }
  sgd(theta, g, first ? 0 : v, newTheta, newV, n, rate, momentum, decay, fresh, nesterov);
  expect("sgd", newTheta, wanted, n, 5);
  expect("velocity", newV, velocity, n, 5);
  free(theta), free(g), free(v), free(newTheta), free(newV), free(wanted), free(velocity);
}

int main(int count, char **arguments) {
  const int rounds = count > 1 ? atoi(arguments[1]) : 100;
  for (int i = 0; i < rounds; i++)
    fuzzMatmul(), fuzzConvolution(), fuzzBatchNorm(), fuzzLayerNorm(), fuzzAttention(), fuzzColumnSums(), fuzzRelu(),
        fuzzSGD();
  return failures > 0;
}
