// Batch normalization with what follows it, pooling and depthwise convolution of random shapes, next to the same in double precision and
// written plainly. Built with sanitizers by `fuzz.slow.ts`. Prints the largest differences, relative to the largest value of each result,
// and a hash of all bits.
#include "activation.h"
#include "depthwise.h"
#include "fuzz.h"

using namespace g2d;

namespace {

Bits bits;

double worst_of(const std::vector<std::pair<Floats, Doubles>>& results) {
  double worst = 0;
  for (const auto& [actual, expected] : results) {
    bits.add(actual);
    worst = std::max(worst, difference(actual, expected));
  }
  return worst;
}

Activation some_activation() {
  const Activation all[] = {{1, INFINITY}, {0, INFINITY}, {0, 0.7f}, {0.1f, INFINITY}};
  return all[between(0, 3)];
}

/** The activation and its slope; a value that rounding may put on either side of a bend is not looked at. */
struct Bent {
  double value, slope;
  bool near;
  Bent(Activation a, double v) {
    near = (a.slope != 1 && std::abs(v) < 1e-4) || std::abs(v - a.most) < 1e-4;
    value = v < 0 ? a.slope * v : v > a.most ? a.most : v;
    slope = v < 0 ? a.slope : v < a.most ? 1 : 0;
  }
};

/** Statistics of channels, with γ of any sign. */
struct Normalized {
  Floats gamma, beta, mean, scale;
  Doubles exact_mean, deviation;

  Normalized(const Floats& x, int64_t channels)
      : gamma(normal(channels)), beta(normal(channels)), mean(channels), scale(channels), exact_mean(channels),
        deviation(channels) {
    const int64_t rows = static_cast<int64_t>(x.size()) / channels;
    Doubles m2(channels);
    batch_moments(x.data(), rows, channels, exact_mean.data(), m2.data());
    for (int64_t c = 0; c < channels; c++) {
      deviation[c] = 1 / std::sqrt(m2[c] / static_cast<double>(rows) + 0.1);
      mean[c] = static_cast<float>(exact_mean[c]);
      scale[c] = static_cast<float>(gamma[c] * deviation[c]);
    }
  }
  Affine affine(int64_t rows) const {
    return {rows, static_cast<int64_t>(mean.size()), mean.data(), scale.data(), beta.data()};
  }
  double at(float x, int64_t c) const { return (x - mean[c]) * static_cast<double>(scale[c]) + beta[c]; }
};

double fuzz_moments() {
  const int64_t rows = between(1, 900), channels = between(1, 70);
  const double mean = between(0, 1) ? 1000 : 0;
  const Floats x = normal(rows * channels, 1, mean);
  Doubles actual_mean(channels), actual_m2(channels), means(channels), m2(channels);
  batch_moments(x.data(), rows, channels, actual_mean.data(), actual_m2.data());
  for (int64_t i = 0; i < rows * channels; i++) means[i % channels] += x[i] / static_cast<double>(rows);
  for (int64_t i = 0; i < rows * channels; i++) m2[i % channels] += std::pow(x[i] - means[i % channels], 2);
  double worst = 0;
  for (int64_t c = 0; c < channels; c++) {
    worst = std::max(worst, std::abs(actual_mean[c] - means[c]) / (1 + mean));
    worst = std::max(worst, std::abs(actual_m2[c] - m2[c]) / (1 + m2[c]));
  }
  return worst;
}

double fuzz_batch_norm() {
  const int64_t rows = between(1, 900), channels = between(1, 70), count = rows * channels;
  const Activation a = some_activation();
  const bool add = between(0, 1);
  const Floats x = normal(count), residual = normal(count);
  Floats dy = normal(count), y(count), dx(count), inner(count);
  const Normalized n(x, channels);
  const Affine affine = n.affine(rows);
  batch_normalize(affine, x.data(), add ? residual.data() : nullptr, y.data(), a);
  Doubles outputs(count), g(count), total(channels), weighted(channels);
  for (int64_t i = 0; i < count; i++) {
    const int64_t c = i % channels;
    const Bent bent(a, n.at(x[i], c) + (add ? residual[i] : 0));
    if (bent.near) dy[i] = 0;
    outputs[i] = bent.value;
    g[i] = dy[i] * bent.slope;
    total[c] += g[i];
    weighted[c] += g[i] * (x[i] - n.mean[c]);
  }
  std::vector<double> own_total, own_weighted;
  batch_gradient_sums(affine, dy.data(), x.data(), add ? y.data() : nullptr, add ? inner.data() : nullptr,
                      add ? Gate::kOutput : Gate::kInput, a, own_total, own_weighted);
  const Floats first = normal(channels), second = normal(channels);
  batch_gradient_input(affine, add ? inner.data() : dy.data(), x.data(), dx.data(), first.data(), second.data(),
                       add ? Activation{} : a);
  Doubles expected(count);
  for (int64_t i = 0; i < count; i++) {
    const int64_t c = i % channels;
    expected[i] = n.scale[c] * (g[i] - first[c] - (x[i] - n.mean[c]) * static_cast<double>(second[c]));
  }
  const Floats totals(own_total.begin(), own_total.end()), weights(own_weighted.begin(), own_weighted.end());
  const double common = worst_of({{y, outputs}, {dx, expected}, {totals, total}, {weights, weighted}});
  return add ? std::max(common, worst_of({{inner, g}})) : common;
}

/** Normalized, rectified and pooled, and the gradient; `alone` without normalization. */
double fuzz_pool(bool alone) {
  const int64_t images = between(1, 3), channels = between(1, 40);
  Pool p{between(1, 20), between(1, 20), channels, 0, 0, between(1, 4), between(1, 4), between(1, 3), between(1, 3), 0, 0};
  p.pad_height = between(0, p.window_height - 1);
  p.pad_width = between(0, p.window_width - 1);
  if (p.height + 2 * p.pad_height < p.window_height || p.width + 2 * p.pad_width < p.window_width) return 0;
  p.out_height = (p.height + 2 * p.pad_height - p.window_height) / p.stride_height + 1;
  p.out_width = (p.width + 2 * p.pad_width - p.window_width) / p.stride_width + 1;
  const int64_t places = images * p.height * p.width, windows = images * p.out_height * p.out_width;
  const Floats x = normal(places * channels), dy = normal(windows * channels);
  const Normalized n(x, channels);
  const Affine affine = n.affine(places);
  Floats y(dy.size()), winner(dy.size()), dx(x.size());
  std::vector<uint8_t> place(dy.size());
  const Floats first = normal(channels), second = normal(channels);
  if (alone) {
    max_pool(p, images, x.data(), y.data(), place.data());
    max_pool_gradient(p, images, dy.data(), place.data(), dx.data());
  } else {
    batch_pool(affine, p, images, x.data(), y.data(), winner.data(), place.data());
    batch_pool_gradient(affine, p, images, dy.data(), winner.data(), place.data(), x.data(), dx.data(), first.data(),
                        second.data());
  }
  Doubles outputs(y.size()), g(x.size());
  for (int64_t w = 0; w < windows; w++)
    for (int64_t c = 0; c < channels; c++) {
      const int64_t image = w / (p.out_height * p.out_width), row = w / p.out_width % p.out_height, column = w % p.out_width;
      double best = -INFINITY;
      int64_t at = -1;
      for (int64_t i = 0; i < p.window_height; i++)
        for (int64_t j = 0; j < p.window_width; j++) {
          const int64_t h = row * p.stride_height - p.pad_height + i, v = column * p.stride_width - p.pad_width + j;
          if (h < 0 || h >= p.height || v < 0 || v >= p.width) continue;
          const int64_t index = ((image * p.height + h) * p.width + v) * channels + c;
          const double value = alone ? x[index] : n.at(x[index], c);
          if (value > best) best = value, at = index;
        }
      outputs[w * channels + c] = alone ? best : std::max(0.0, best);
      if (alone || best > 0) g[at] += dy[w * channels + c];
    }
  Doubles expected(g);
  if (!alone)
    for (size_t i = 0; i < g.size(); i++) {
      const int64_t c = static_cast<int64_t>(i) % channels;
      expected[i] = n.scale[c] * (g[i] - first[c] - (x[i] - n.mean[c]) * static_cast<double>(second[c]));
    }
  return worst_of({{y, outputs}, {dx, expected}});
}

double fuzz_depthwise() {
  const int64_t window = 3 + 2 * between(0, 2);
  Depthwise d{between(1, 3), between(1, 24), between(1, 24), between(1, 70), window, between(1, 3), between(1, 3),
              between(0, window - 1), between(0, window - 1), between(0, window - 1), between(0, window - 1)};
  if (!d.fits()) return 0;
  const Floats x = normal(d.batch * d.image()), w = normal(window * window * d.channels), bias = normal(d.channels);
  const Floats dy = normal(d.batch * d.outputs());
  Floats y(dy.size()), dx(x.size()), dw(w.size());
  depthwise_convolve(d, x.data(), w.data(), bias.data(), {}, y.data());
  depthwise_gradient_image(d, w.data(), dy.data(), dx.data());
  depthwise_gradient_filter(d, x.data(), dy.data(), dw.data());
  Doubles outputs(y.size()), image(x.size()), taps(w.size());
  for (int64_t i = 0; i < d.batch * d.out_height * d.out_width; i++)
    for (int64_t c = 0; c < d.channels; c++) {
      const int64_t b = i / (d.out_height * d.out_width), row = i / d.out_width % d.out_height, column = i % d.out_width;
      outputs[i * d.channels + c] = bias[c];
      for (int64_t tap = 0; tap < window * window; tap++) {
        const int64_t h = row * d.stride_height + tap / window - d.top, v = column * d.stride_width + tap % window - d.left;
        if (h < 0 || h >= d.height || v < 0 || v >= d.width) continue;
        const int64_t source = ((b * d.height + h) * d.width + v) * d.channels + c, weight = tap * d.channels + c;
        outputs[i * d.channels + c] += static_cast<double>(x[source]) * w[weight];
        image[source] += static_cast<double>(dy[i * d.channels + c]) * w[weight];
        taps[weight] += static_cast<double>(dy[i * d.channels + c]) * x[source];
      }
    }
  return worst_of({{y, outputs}, {dx, image}, {dw, taps}});
}

}  // namespace

int main() {
  double moments = 0, normalized = 0, pooled = 0, depthwise = 0;
  for (int i = 0; i < 60; i++) {
    moments = std::max(moments, fuzz_moments());
    normalized = std::max(normalized, fuzz_batch_norm());
    pooled = std::max(pooled, fuzz_pool(i % 2 == 0));
    depthwise = std::max(depthwise, fuzz_depthwise());
  }
  std::printf("{\"moments\": %g, \"batchNorm\": %g, \"pool\": %g, \"depthwise\": %g, \"bits\": \"%016llx\"}\n", moments,
              normalized, pooled, depthwise, static_cast<unsigned long long>(bits.hash));
}
