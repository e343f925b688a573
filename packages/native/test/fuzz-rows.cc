// Dropout, layer normalization and attention of random shapes, next to the same in double precision and written plainly. Built with
// sanitizers by `fuzz.slow.ts`. Prints the largest differences, relative to the largest value of each result.
#include "attention.h"
#include "fuzz.h"

using namespace g2d;

namespace {

Floats factors_of(const Draw& draw, int64_t from, int64_t count) {
  Floats all(count);
  // One by one, which reads every group again, and from the stream's beginning.
  Draw whole = draw;
  whole.before = 0;
  for (int64_t i = 0; i < count; i++) portable::factors(whole, draw.before + from + i, 1, &all[i]);
  return all;
}

Draw some_draw() {
  const double rate = std::uniform_real_distribution<double>(0.01, 0.9)(generator);
  return {static_cast<uint32_t>(rate * 4294967296.0), static_cast<float>(1 / (1 - rate)), static_cast<uint32_t>(generator()),
          between(0, 1) ? between(0, 40000) : int64_t{0}};
}

double fuzz_dropout() {
  const int64_t count = between(1, 40000);
  const Draw draw = some_draw();
  const Floats x = normal(count), factors = factors_of(draw, 0, count);
  Floats y(count);
  dropout(x.data(), draw, count, y.data());
  Doubles expected(count);
  for (int64_t i = 0; i < count; i++) expected[i] = static_cast<double>(x[i]) * factors[i];
  return difference(y, expected);
}

double fuzz_layer_norm() {
  const int64_t rows = between(1, 90), channels = between(1, 70) * (between(0, 3) ? 1 : 40);
  const bool summed = between(0, 1);
  LayerNorm n{rows, channels, nullptr, nullptr, 1e-3f, {}};
  if (summed && between(0, 1)) n.draw = some_draw();
  const int64_t size = rows * channels;
  const Floats x = normal(size, 1, between(0, 9)), residual = normal(size), gamma = normal(channels), beta = normal(channels);
  const Floats dy = normal(size);
  n.gamma = gamma.data();
  n.beta = beta.data();
  Floats sum(summed ? size : 0), y(size), mean(rows), inverse(rows), ds(size), dgamma(channels), dbeta(channels);
  Floats dx(n.draw.threshold ? size : 0);
  layer_norm(n, x.data(), summed ? residual.data() : nullptr, sum.data(), y.data(), mean.data(), inverse.data());
  layer_norm_gradient(n, summed ? sum.data() : x.data(), dy.data(), mean.data(), inverse.data(), ds.data(), dx.data(),
                      dgamma.data(), dbeta.data());
  const Floats factors = n.draw.threshold ? factors_of(n.draw, 0, size) : Floats(size, 1);
  Doubles all(size), gradient(size), through(dx.size()), by_gamma(channels), by_beta(channels);
  for (int64_t r = 0; r < rows; r++) {
    Doubles s(channels);
    double center = 0, variance = 0, a = 0, b = 0;
    for (int64_t c = 0; c < channels; c++) {
      const int64_t at = r * channels + c;
      s[c] = summed ? residual[at] + static_cast<double>(x[at]) * factors[at] : x[at];
      center += s[c] / channels;
    }
    for (double value : s) variance += (value - center) * (value - center) / channels;
    const double scale = 1 / std::sqrt(variance + n.epsilon);
    for (int64_t c = 0; c < channels; c++) {
      const double hat = (s[c] - center) * scale, g = static_cast<double>(dy[r * channels + c]) * gamma[c];
      all[r * channels + c] = hat * gamma[c] + beta[c];
      by_gamma[c] += dy[r * channels + c] * hat;
      by_beta[c] += dy[r * channels + c];
      a += g / channels;
      b += g * hat / channels;
    }
    for (int64_t c = 0; c < channels; c++) {
      const int64_t at = r * channels + c;
      const double hat = (s[c] - center) * scale;
      gradient[at] = scale * (static_cast<double>(dy[at]) * gamma[c] - a - hat * b);
      if (!through.empty()) through[at] = gradient[at] * factors[at];
    }
  }
  return std::max({difference(y, all), difference(ds, gradient), difference(dx, through), difference(dgamma, by_gamma),
                   difference(dbeta, by_beta)});
}

double fuzz_attention() {
  const int64_t batch = between(1, 3), time = between(1, between(0, 3) ? 30 : 120), heads = between(1, 3);
  const int64_t size = between(0, 1) ? between(1, 40) : 32 * between(1, 2);
  Attention a{batch, time, heads, size, 0.3f, {}, nullptr};
  std::vector<uint32_t> seeds(heads);
  for (uint32_t& seed : seeds) seed = generator();
  if (between(0, 1)) {
    a.draw = some_draw();
    a.seeds = seeds.data();
  }
  const bool masked = between(0, 1);
  Floats mask(masked ? batch * time : 0);
  for (float& value : mask) value = between(0, 2) ? 0 : -1e9f;
  if (masked) for (int64_t b = 0; b < batch; b++) mask[b * time] = 0;
  const int64_t width = heads * size, step = 3 * width;
  const Floats projected = normal(batch * time * step), dy = normal(batch * time * width);
  Floats y(batch * time * width), gradient(projected.size());
  attend(a, projected.data(), masked ? mask.data() : nullptr, y.data());
  attend_gradient(a, projected.data(), masked ? mask.data() : nullptr, dy.data(), gradient.data());

  Doubles all(y.size()), expected(gradient.size());
  for (int64_t b = 0; b < batch; b++) {
    for (int64_t h = 0; h < heads; h++) {
      Draw draw = a.draw;
      draw.seed = seeds[h];
      const auto at = [&](int64_t part, int64_t t, int64_t i) { return (b * time + t) * step + part * width + h * size + i; };
      const auto out = [&](int64_t t, int64_t i) { return (b * time + t) * width + h * size + i; };
      for (int64_t t = 0; t < time; t++) {
        const Floats factors = draw.threshold ? factors_of(draw, (b * time + t) * time, time) : Floats(time, 1);
        Doubles p(time), d(time);
        double largest = -INFINITY, sum = 0, along = 0;
        for (int64_t u = 0; u < time; u++) {
          for (int64_t i = 0; i < size; i++) p[u] += static_cast<double>(projected[at(0, t, i)]) * projected[at(1, u, i)];
          p[u] = p[u] * a.scale + (masked ? mask[b * time + u] : 0);
          largest = std::max(largest, p[u]);
        }
        for (double& value : p) sum += value = std::exp(value - largest);
        for (int64_t u = 0; u < time; u++) {
          p[u] /= sum;
          for (int64_t i = 0; i < size; i++) {
            all[out(t, i)] += p[u] * factors[u] * projected[at(2, u, i)];
            d[u] += static_cast<double>(dy[out(t, i)]) * projected[at(2, u, i)] * factors[u];
            expected[at(2, u, i)] += p[u] * factors[u] * dy[out(t, i)];
          }
          along += p[u] * d[u];
        }
        for (int64_t u = 0; u < time; u++) {
          const double score = p[u] * (d[u] - along) * a.scale;
          for (int64_t i = 0; i < size; i++) {
            expected[at(0, t, i)] += score * projected[at(1, u, i)];
            expected[at(1, u, i)] += score * projected[at(0, t, i)];
          }
        }
      }
    }
  }
  return std::max(difference(y, all), difference(gradient, expected));
}

/** √(mean square error) of moments of the noise, in standard errors; the gradient's own deviation is 3. */
double fuzz_noise() {
  const int64_t count = between(20000, 60000);
  const Floats x = normal(count, 3, 5);
  Floats y(count);
  gradient_noise(x.data(), count, static_cast<uint32_t>(generator()), 0.5f, y.data());
  double mean = 0, spread = 0, first = 0, second = 0;
  for (float value : x) mean += value / static_cast<double>(count);
  for (float value : x) spread += (value - mean) * (value - mean) / static_cast<double>(count - 1);
  for (int64_t i = 0; i < count; i++) {
    const double n = (y[i] - 0.5 * x[i]) / std::sqrt(spread);
    first += n / static_cast<double>(count);
    second += (n * n - 1) / static_cast<double>(count);
  }
  return std::max(std::abs(first), std::abs(second) / std::sqrt(2.0)) * std::sqrt(static_cast<double>(count));
}

}  // namespace

int main() {
  double dropped = 0, normalized = 0, attended = 0, noise = 0;
  for (int i = 0; i < 200; i++) normalized = std::max(normalized, fuzz_layer_norm());
  for (int i = 0; i < 40; i++) dropped = std::max(dropped, fuzz_dropout());
  if (panel_loops().panel > 0)
    for (int i = 0; i < 120; i++) attended = std::max(attended, fuzz_attention());
  for (int i = 0; i < 20; i++) noise = std::max(noise, fuzz_noise());
  std::printf("{\"dropout\": %g, \"layerNorm\": %g, \"attention\": %g, \"noise\": %g}\n", dropped, normalized, attended, noise);
}
