#pragma once
// Depthwise convolution with a multiplier of one, its gradients, and with a bias and an activation for inference.
#include "batch-norm-operations.h"
#include "depthwise.h"

namespace g2d {
namespace {

/** From the attribute: strides, padding (top, bottom, left, right), the image's height and width; and the operands' shapes. */
Depthwise depthwise(Call& call, const Options& o, const Image& image, int64_t window, int64_t channels,
                    bool gradient) {
  const int64_t* g = o.geometry;
  Depthwise d{image.shape[0], g[6], g[7], channels, window, g[0], g[1], g[2], g[3], g[4], g[5]};
  const bool fits = d.fits() && image.channels == channels &&
                    image.shape[1] == (gradient ? d.out_height : d.height) &&
                    image.shape[2] == (gradient ? d.out_width : d.width);
  if (!fits)
    call.fail("An image, 3 x 3, 5 x 5 or 7 x 7 taps, less padding than taps, and sizes that belong together are expected.");
  return d;
}

/** [k, k, C, 1]. */
bool is_filter(Call& call, const Image& filter) {
  if (call.ok() && (filter.shape[0] != filter.shape[1] || filter.shape[3] != 1))
    call.fail("A square filter with a multiplier of one is expected.");
  return call.ok();
}

/** Inputs x, filter and bias. */
void compute_depthwise(const Options& o, Call& call) {
  const Image x(call, 0), w(call, 1);
  if (!is_filter(call, w)) return;
  const Depthwise d = depthwise(call, o, x, w.shape[0], w.shape[2], false);
  const float* bias = call.floats(2, d.channels);
  if (!check(call, o.activation)) return;
  float* y = call.floats_out(0, {d.batch, d.out_height, d.out_width, d.channels});
  if (call.ok()) depthwise_convolve(d, x.data, w.data, bias, o.activation, y);
}

void compute_depthwise_gradient_image(const Options& o, Call& call) {
  const Image w(call, 0), dy(call, 1);
  if (!is_filter(call, w)) return;
  const Depthwise d = depthwise(call, o, dy, w.shape[0], w.shape[2], true);
  if (!call.ok()) return;
  float* dx = call.floats_out(0, {d.batch, d.height, d.width, d.channels});
  if (call.ok()) depthwise_gradient_image(d, w.data, dy.data, dx);
}

/** Inputs x and dy; the size of the window is an attribute. */
void compute_depthwise_gradient_filter(const Options& o, Call& call) {
  const Image x(call, 0), dy(call, 1);
  if (!call.ok()) return;
  const Depthwise d = depthwise(call, o, x, o.geometry[8], x.channels, false);
  if (call.ok() && dy.shape != std::vector<int64_t>{d.batch, d.out_height, d.out_width, d.channels})
    call.fail("An image and the gradient of its convolution are expected.");
  if (!call.ok()) return;
  float* dw = call.floats_out(0, {d.window, d.window, d.channels, 1});
  if (call.ok()) depthwise_gradient_filter(d, x.data, dy.data, dw);
}

}  // namespace
}  // namespace g2d
