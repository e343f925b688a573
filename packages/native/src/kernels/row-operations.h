#pragma once
// What surrounds the products of a Transformer: dropout, layer normalization with its sum, attention; and noise for gradients.
#include "attention.h"
#include "operation.h"

namespace g2d {
namespace {

/** A tensor of any shape with at least one value. */
struct Values {
  const float* data = nullptr;
  std::vector<int64_t> shape;
  int64_t size = 0;

  Values(Call& call, int index) {
    TF_Tensor* tensor = call.input(index);
    if (!tensor) return;
    for (int i = 0; i < TF_NumDims(tensor); i++) shape.push_back(TF_Dim(tensor, i));
    size = TF_TensorElementCount(tensor);
    data = static_cast<const float*>(TF_TensorData(tensor));
    if (size == 0 || shape.empty()) call.fail("A tensor with at least one axis and one value is expected.");
  }

  int64_t last() const { return shape.back(); }
  std::vector<int64_t> leading() const { return {shape.begin(), shape.end() - 1}; }
};

/**
 * Dropout's threshold, which of equal parts of a batch this is, then the seeds: an input and no attribute, since TensorFlow keeps a kernel for each
 * value of those. Empty: no dropout.
 *
 * @param size Of a stream, in this part.
 */
const uint32_t* seeds(Call& call, int index, int64_t count, int64_t size, const Options& o, Draw& draw) {
  TF_Tensor* tensor = call.input(index);
  if (!tensor || TF_TensorElementCount(tensor) == 0) return nullptr;
  if (TF_TensorElementCount(tensor) != 2 + count) {
    call.fail("A threshold, a part and as many seeds as streams are expected.");
    return nullptr;
  }
  const auto* words = static_cast<const uint32_t*>(TF_TensorData(tensor));
  draw.threshold = words[0];
  draw.factor = o.factor;
  draw.before = static_cast<int64_t>(words[1]) * size;
  draw.seed = words[2];
  return words + 2;
}

void compute_dropout(const Options& o, Call& call) {
  const Values x(call, 0);
  Draw draw;
  if (call.ok()) seeds(call, 1, 1, x.size, o, draw);
  float* y = call.ok() ? call.floats_out(0, x.shape) : nullptr;
  if (call.ok()) dropout(x.data, draw, x.size, y);
}

/** Without a residual, which is empty then, the sum is x itself and not given again. */
void compute_layer_norm(const Options& o, Call& call) {
  const Values x(call, 0);
  TF_Tensor* other = call.input(1);
  if (!call.ok()) return;
  const bool summed = TF_TensorElementCount(other) > 0;
  const float* residual = summed ? call.floats(1, x.size) : nullptr;
  LayerNorm n{x.size / x.last(), x.last(), call.floats(2, x.last()), call.floats(3, x.last()), o.epsilon, {}};
  seeds(call, 4, 1, x.size, o, n.draw);
  if (call.ok() && n.draw.threshold > 0 && !summed) call.fail("Dropout is of a summand.");
  if (!call.ok()) return;
  float* y = call.floats_out(0, x.shape);
  float* sum = call.floats_out(1, summed ? x.shape : std::vector<int64_t>{0});
  float* mean = call.floats_out(2, x.leading());
  float* inverse = call.floats_out(3, x.leading());
  if (call.ok()) layer_norm(n, x.data, residual, sum, y, mean, inverse);
}

/** Without dropout both summands have the gradient of the sum, and dx is empty. */
void compute_layer_norm_grad(const Options& o, Call& call) {
  const Values sum(call, 0);
  if (!call.ok()) return;
  const int64_t rows = sum.size / sum.last();
  const float* dy = call.floats(1, sum.size);
  LayerNorm n{rows, sum.last(), call.floats(2, sum.last()), nullptr, 0, {}};
  const float* mean = call.floats(3, rows);
  const float* inverse = call.floats(4, rows);
  seeds(call, 5, 1, sum.size, o, n.draw);
  if (!call.ok()) return;
  float* dsum = call.floats_out(0, sum.shape);
  float* dx = call.floats_out(1, n.draw.threshold > 0 ? sum.shape : std::vector<int64_t>{0});
  float* dgamma = call.floats_out(2, {n.channels});
  float* dbeta = call.floats_out(3, {n.channels});
  if (call.ok()) layer_norm_gradient(n, sum.data, dy, mean, inverse, dsum, dx, dgamma, dbeta);
}

/** Inputs projected (0), mask (1), which may be empty, draw (2). */
bool attention(Call& call, const Options& o, const Values& projected, Attention& a, const float*& mask) {
  const int64_t heads = o.heads[0];
  if (call.ok() && (projected.shape.size() != 3 || heads < 1 || projected.last() % (3 * heads) != 0))
    call.fail("[B, T, 3·H·d] is expected.");
  if (!call.ok()) return false;
  a = {projected.shape[0], projected.shape[1], heads, projected.last() / (3 * heads), o.scale, {}, nullptr};
  TF_Tensor* added = call.input(1);
  mask = added && TF_TensorElementCount(added) > 0 ? call.floats(1, a.batch * a.time) : nullptr;
  a.seeds = seeds(call, 2, heads, a.batch * a.time * a.time, o, a.draw);
  return call.ok();
}

void compute_attention(const Options& o, Call& call) {
  const Values projected(call, 0);
  Attention a;
  const float* mask = nullptr;
  if (!attention(call, o, projected, a, mask)) return;
  float* y = call.floats_out(0, {a.batch, a.time, a.width()});
  if (call.ok()) attend(a, projected.data, mask, y);
}

void compute_attention_grad(const Options& o, Call& call) {
  const Values projected(call, 0);
  Attention a;
  const float* mask = nullptr;
  if (!attention(call, o, projected, a, mask)) return;
  const float* dy = call.floats(3, a.batch * a.time * a.width());
  float* gradient = call.ok() ? call.floats_out(0, projected.shape) : nullptr;
  if (call.ok()) attend_gradient(a, projected.data, mask, dy, gradient);
}

void compute_gradient_noise(const Options&, Call& call) {
  TF_Tensor* gradient = call.input(0);
  const float* coefficient = call.floats(1, 1);
  TF_Tensor* seed = call.input(2);
  if (call.ok() && TF_TensorElementCount(seed) != 1) call.fail("One seed is expected.");
  if (!call.ok()) return;
  std::vector<int64_t> shape;
  for (int i = 0; i < TF_NumDims(gradient); i++) shape.push_back(TF_Dim(gradient, i));
  const int64_t count = TF_TensorElementCount(gradient);
  float* y = call.floats_out(0, shape);
  if (call.ok() && count > 0)
    gradient_noise(static_cast<const float*>(TF_TensorData(gradient)), count,
                   *static_cast<const uint32_t*>(TF_TensorData(seed)), *coefficient, y);
}

}  // namespace
}  // namespace g2d
