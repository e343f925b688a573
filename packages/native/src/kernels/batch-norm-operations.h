#pragma once
// Batch normalization together with what follows it, in as few passes over memory as there are, and activations and maximum
// pooling alone: what is not a number stays one, which TensorFlow's lose.
#include "batch-norm.h"
#include "operation.h"

namespace g2d {
namespace {

/** The windows over [height, width, channels]; its output's shape must be positive. */
Pool windows(Call& call, const int64_t* image, const int64_t* o) {
  Pool p{image[0], image[1], image[2], 0, 0, o[0], o[1], o[2], o[3], o[4], o[5]};
  const bool sane = o[0] > 0 && o[1] > 0 && o[0] * o[1] < 256 && o[2] > 0 && o[3] > 0 && o[4] >= 0 && o[5] >= 0 &&
                    o[4] < o[0] && o[5] < o[1] && p.height + 2 * o[4] >= o[0] && p.width + 2 * o[5] >= o[1];
  if (!sane) {
    call.fail("A window of less than 256 places, larger than its padding and not than the image, is expected.");
    return p;
  }
  p.out_height = (p.height + 2 * p.pad_height - p.window_height) / p.stride_height + 1;
  p.out_width = (p.width + 2 * p.pad_width - p.window_width) / p.stride_width + 1;
  return p;
}

/**
 * Inputs x, gamma, beta, running mean and variance. Outputs from `first` on: running mean and variance moved (PyTorch's,
 * the variance unbiased), batch mean, s = γ/σ, 1/σ.
 */
bool statistics(Call& call, const Options& o, const Image& x, int first, Affine& n) {
  const int64_t channels = x.channels;
  const float* gamma = call.floats(1, channels);
  const float* beta = call.floats(2, channels);
  const float* old_mean = call.floats(3, channels);
  const float* old_variance = call.floats(4, channels);
  float* new_mean = call.floats_out(first, {channels});
  float* new_variance = call.floats_out(first + 1, {channels});
  float* mean = call.floats_out(first + 2, {channels});
  float* scale = call.floats_out(first + 3, {channels});
  float* inverse = call.floats_out(first + 4, {channels});
  if (!call.ok()) return false;
  std::vector<double> exact(channels), m2(channels);
  batch_moments(x.data, x.rows, channels, exact.data(), m2.data());
  const double f = o.momentum;
  for (int64_t c = 0; c < channels; c++) {
    const double deviation = 1 / std::sqrt(m2[c] / x.rows + o.epsilon);
    mean[c] = static_cast<float>(exact[c]);
    inverse[c] = static_cast<float>(deviation);
    scale[c] = static_cast<float>(gamma[c] * deviation);
    new_mean[c] = static_cast<float>((1 - f) * old_mean[c] + f * exact[c]);
    new_variance[c] = static_cast<float>((1 - f) * old_variance[c] + f * m2[c] / std::max<int64_t>(1, x.rows - 1));
  }
  n = {x.rows, channels, mean, scale, beta};
  return true;
}

/** From Σg and Σg(x − μ): the gradients of gamma and beta, and what `gradient_input` subtracts. */
struct Correction {
  std::vector<float> a, b;

  Correction(const std::vector<double>& total, const std::vector<double>& weighted, int64_t rows,
             const float* inverse, float* dgamma, float* dbeta)
      : a(total.size()), b(total.size()) {
    for (size_t c = 0; c < total.size(); c++) {
      const double deviation = inverse[c];
      dbeta[c] = static_cast<float>(total[c]);
      dgamma[c] = static_cast<float>(weighted[c] * deviation);
      a[c] = static_cast<float>(total[c] / rows);
      b[c] = static_cast<float>(weighted[c] * deviation * deviation / rows);
    }
  }
};

/** Whether there are loops for the activation. */
bool check(Call& call, Activation a) {
  if (!is_known(a)) call.fail("A slope of at least 0 without a bound, or a slope of 0 and a bound above it, is expected.");
  return call.ok();
}

void compute_batch_norm(const Options& o, Call& call) {
  const Image x(call, 0);
  Affine n;
  if (!check(call, o.activation) || !statistics(call, o, x, 1, n)) return;
  float* y = call.floats_out(0, x.shape);
  if (call.ok()) batch_normalize(n, x.data, nullptr, y, o.activation);
}

void compute_batch_norm_add(const Options& o, Call& call) {
  const Image x(call, 0);
  Affine n;
  if (!check(call, o.activation) || !statistics(call, o, x, 1, n)) return;
  const float* residual = call.floats(5, x.size);
  float* y = call.floats_out(0, x.shape);
  if (call.ok()) batch_normalize(n, x.data, residual, y, o.activation);
}

void compute_batch_norm_pool(const Options& o, Call& call) {
  const Image x(call, 0);
  if (!call.ok()) return;
  const Pool p = windows(call, x.shape.data() + 1, o.pool);
  Affine n;
  if (!call.ok() || !statistics(call, o, x, 3, n)) return;
  const std::vector<int64_t> shape{x.shape[0], p.out_height, p.out_width, p.channels};
  float* y = call.floats_out(0, shape);
  float* winner = call.floats_out(1, shape);
  uint8_t* place = call.output<uint8_t>(2, TF_UINT8, shape);
  if (call.ok()) batch_pool(n, p, x.shape[0], x.data, y, winner, place);
}

/** Inputs x (0), beta, mean, s, 1/σ from `first` on. */
const float* affine(Call& call, const Image& x, int first, Affine& n) {
  n.rows = x.rows;
  n.channels = x.channels;
  n.beta = call.floats(first, x.channels);
  n.mean = call.floats(first + 1, x.channels);
  n.scale = call.floats(first + 2, x.channels);
  return call.floats(first + 3, x.channels);
}

void compute_batch_norm_grad(const Options& o, Call& call) {
  const Image x(call, 0);
  if (!check(call, o.activation)) return;
  const float* dy = call.floats(1, x.size);
  Affine n;
  const float* inverse = affine(call, x, 2, n);
  float* dx = call.floats_out(0, x.shape);
  float* dgamma = call.floats_out(1, {x.channels});
  float* dbeta = call.floats_out(2, {x.channels});
  if (!call.ok()) return;
  std::vector<double> total, weighted;
  batch_gradient_sums(n, dy, x.data, nullptr, nullptr, Gate::kInput, o.activation, total, weighted);
  const Correction k(total, weighted, x.rows, inverse, dgamma, dbeta);
  batch_gradient_input(n, dy, x.data, dx, k.a.data(), k.b.data(), o.activation);
}

void compute_batch_norm_add_grad(const Options& o, Call& call) {
  const Image x(call, 0);
  if (!check(call, o.activation)) return;
  const float* dy = call.floats(1, x.size);
  Affine n;
  const float* inverse = affine(call, x, 2, n);
  const float* y = call.floats(6, x.size);
  float* dx = call.floats_out(0, x.shape);
  float* dgamma = call.floats_out(1, {x.channels});
  float* dbeta = call.floats_out(2, {x.channels});
  float* dresidual = call.floats_out(3, x.shape);
  if (!call.ok()) return;
  std::vector<double> total, weighted;
  batch_gradient_sums(n, dy, x.data, y, dresidual, Gate::kOutput, o.activation, total, weighted);
  const Correction k(total, weighted, x.rows, inverse, dgamma, dbeta);
  batch_gradient_input(n, dresidual, x.data, dx, k.a.data(), k.b.data(), {});
}

void compute_batch_norm_pool_grad(const Options& o, Call& call) {
  const Image x(call, 0);
  if (!call.ok()) return;
  const Pool p = windows(call, x.shape.data() + 1, o.pool);
  if (!call.ok()) return;
  const int64_t outputs = x.shape[0] * p.out_height * p.out_width;
  const float* dy = call.floats(1, outputs * p.channels);
  Affine n;
  const float* inverse = affine(call, x, 2, n);
  const float* winner = call.floats(6, outputs * p.channels);
  TF_Tensor* places = call.input(7);
  if (places && TF_TensorElementCount(places) != outputs * p.channels) call.fail("The places have another size.");
  float* dx = call.floats_out(0, x.shape);
  float* dgamma = call.floats_out(1, {x.channels});
  float* dbeta = call.floats_out(2, {x.channels});
  if (!call.ok()) return;
  // What lost in every window has no gradient: the winners' sums are the sums.
  Affine pooled = n;
  pooled.rows = outputs;
  std::vector<double> total, weighted;
  batch_gradient_sums(pooled, dy, winner, nullptr, nullptr, Gate::kInput, {0, INFINITY}, total, weighted);
  const Correction k(total, weighted, x.rows, inverse, dgamma, dbeta);
  batch_pool_gradient(n, p, x.shape[0], dy, winner, static_cast<const uint8_t*>(TF_TensorData(places)), x.data, dx,
                      k.a.data(), k.b.data());
}

/** Inputs x, gamma, beta, running mean and variance: the activation of (x − μ) γ/σ + β. */
void compute_batch_norm_inference(const Options& o, Call& call) {
  const Image x(call, 0);
  const float* gamma = call.floats(1, x.channels);
  const float* beta = call.floats(2, x.channels);
  const float* mean = call.floats(3, x.channels);
  const float* variance = call.floats(4, x.channels);
  float* y = check(call, o.activation) ? call.floats_out(0, x.shape) : nullptr;
  if (!call.ok()) return;
  std::vector<float> scale(x.channels);
  for (int64_t c = 0; c < x.channels; c++)
    scale[c] = static_cast<float>(gamma[c] / std::sqrt(static_cast<double>(variance[c]) + o.epsilon));
  batch_normalize({x.rows, x.channels, mean, scale.data(), beta}, x.data, nullptr, y, o.activation);
}

void compute_max_pool(const Options& o, Call& call) {
  const Image x(call, 0);
  if (!call.ok()) return;
  const Pool p = windows(call, x.shape.data() + 1, o.pool);
  if (!call.ok()) return;
  const std::vector<int64_t> shape{x.shape[0], p.out_height, p.out_width, p.channels};
  float* y = call.floats_out(0, shape);
  uint8_t* place = call.output<uint8_t>(1, TF_UINT8, shape);
  if (call.ok()) max_pool(p, x.shape[0], x.data, y, place);
}

/** Inputs dy and places; the image's height and width are an attribute. */
void compute_max_pool_grad(const Options& o, Call& call) {
  const Image dy(call, 0);
  if (!call.ok()) return;
  const int64_t image[] = {o.size[0], o.size[1], dy.channels};
  const Pool p = windows(call, image, o.pool);
  if (!call.ok()) return;
  if (dy.shape[1] != p.out_height || dy.shape[2] != p.out_width) call.fail("The gradient has another size.");
  TF_Tensor* places = call.input(1);
  if (places && TF_TensorElementCount(places) != dy.size) call.fail("The places have another size.");
  if (!call.ok()) return;
  float* dx = call.floats_out(0, {dy.shape[0], p.height, p.width, p.channels});
  if (call.ok()) max_pool_gradient(p, dy.shape[0], dy.data, static_cast<const uint8_t*>(TF_TensorData(places)), dx);
}

std::vector<int64_t> shape_of(TF_Tensor* tensor) {
  std::vector<int64_t> shape;
  for (int i = 0; i < TF_NumDims(tensor); i++) shape.push_back(TF_Dim(tensor, i));
  return shape;
}

/** Input x of any shape. */
void compute_activation(const Options& o, Call& call) {
  TF_Tensor* x = call.input(0);
  if (!x || !check(call, o.activation)) return;
  float* y = call.floats_out(0, shape_of(x));
  if (call.ok()) activate(o.activation, static_cast<const float*>(TF_TensorData(x)), y, TF_TensorElementCount(x));
}

/** Inputs dy and y of any shape. */
void compute_activation_grad(const Options& o, Call& call) {
  TF_Tensor* y = call.input(1);
  if (!y || !check(call, o.activation)) return;
  const int64_t count = TF_TensorElementCount(y);
  const float* dy = call.floats(0, count);
  float* dx = call.ok() ? call.floats_out(0, shape_of(y)) : nullptr;
  if (call.ok()) activation_gradient(o.activation, dy, static_cast<const float*>(TF_TensorData(y)), dx, count);
}

}  // namespace
}  // namespace g2d
