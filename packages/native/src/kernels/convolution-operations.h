#pragma once
// Convolution of 3 × 3 taps and stride 1, its gradients, and with a bias for inference; and of any window: by its taps, but where 3 × 3 of
// them with stride 2 are worth transforming, or the image has few channels.
#include "operation.h"
#include "product-operations.h"
#include "tap-convolution.h"
#include "window-convolution.h"
#include "winograd.h"

namespace g2d {
namespace {

/**
 * [B, H, W, C] * [3, 3, C, K] with the attribute's padding, from the operands whose shapes the operation knows: the image or
 * its gradient's source (`gradient`: [B, H′, W′, K]).
 */
Convolution convolution(Call& call, const Options& o, const Image& image, const Image& filter, bool gradient) {
  const bool taps = filter.shape[0] == 3 && filter.shape[1] == 3;
  const int64_t in = filter.shape[2], out = filter.shape[3];
  Convolution c{image.shape[0], image.shape[1], image.shape[2], in, out, o.padding[0], o.padding[1]};
  if (gradient) {
    c.height = image.shape[1] + 2 - 2 * o.padding[0];
    c.width = image.shape[2] + 2 - 2 * o.padding[1];
  }
  if (!taps || image.channels != (gradient ? out : in) || !c.fits())
    call.fail("Images, 3 x 3 taps, padding of at most 2 and channels in multiples of 32 that belong together are expected.");
  return c;
}

template <bool biased>
void compute_convolution(const Options& o, Call& call) {
  const Image x(call, 0), w(call, 1);
  if (!call.ok()) return;
  const Convolution c = convolution(call, o, x, w, false);
  const float* bias = biased ? call.floats(2, c.out) : kZeros;
  if (!call.ok()) return;
  float* y = call.floats_out(0, {c.batch, c.out_height(), c.out_width(), c.out});
  if (call.ok()) winograd_convolve(c, x.data, w.data, bias, y);
}

void compute_convolution_gradient_image(const Options& o, Call& call) {
  const Image w(call, 0), dy(call, 1);
  if (!call.ok()) return;
  const Convolution c = convolution(call, o, dy, w, true);
  if (!call.ok()) return;
  float* dx = call.floats_out(0, {c.batch, c.height, c.width, c.in});
  if (call.ok()) winograd_gradient_image(c, w.data, dy.data, dx);
}

void compute_convolution_gradient_filter(const Options& o, Call& call) {
  const Image x(call, 0), dy(call, 1);
  if (!call.ok()) return;
  const Convolution c{x.shape[0], x.shape[1], x.shape[2], x.channels, dy.channels, o.padding[0], o.padding[1]};
  if (!c.fits() || dy.shape != std::vector<int64_t>{c.batch, c.out_height(), c.out_width(), c.out})
    call.fail("An image and its convolution's gradient, channels in multiples of 32, are expected.");
  if (!call.ok()) return;
  float* dw = call.floats_out(0, {3, 3, c.in, c.out});
  if (call.ok()) winograd_gradient_filter(c, x.data, dy.data, dw);
}

/** From the image's shape and the filter's; `window` is the operation's attribute, as that of pooling. */
TapConvolution tap_convolution(Call& call, const Options& o, const std::vector<int64_t>& image, int64_t in, int64_t out) {
  TapConvolution c{image[0], image[1], image[2], in, out, {o.pool[0], o.pool[1]}, {o.pool[2], o.pool[3]},
                   {o.pool[4], o.pool[5]}, o.bfloat16 != 0};
  require_bfloat16(call, o);
  for (int axis = 0; axis < 2; axis++) {
    const bool fits = c.window[axis] > 0 && c.strides[axis] > 0 && c.padding[axis] >= 0 &&
                      std::max(std::max(c.window[axis], c.strides[axis]), c.padding[axis]) <= 1 << 20;
    if (!fits || c.out_size(axis) == 0) call.fail("A window that fits into the image is expected.");
  }
  return c;
}

/** The same for Winograd's algorithm, which is for 3 × 3 taps; transforms are float32 in any case. */
Convolution strided(const TapConvolution& t) {
  const bool taps = t.window[0] == 3 && t.window[1] == 3 && t.strides[0] == 2 && t.strides[1] == 2;
  return {t.batch, t.height, t.width, t.in, t.out, t.padding[0], t.padding[1], taps ? 2 : 1};
}

bool is_filter(const Image& w, const Options& o) { return w.shape[0] == o.pool[0] && w.shape[1] == o.pool[1]; }

void compute_tap_convolution(const Options& o, Call& call) {
  const Image x(call, 0), w(call, 1);
  if (!call.ok()) return;
  const TapConvolution c = tap_convolution(call, o, x.shape, w.shape[2], w.shape[3]);
  if (!is_filter(w, o) || x.channels != c.in) call.fail("An image and a filter that belong together are expected.");
  if (!call.ok()) return;
  float* y = call.floats_out(0, {c.batch, c.out_size(0), c.out_size(1), c.out});
  if (!call.ok()) return;
  if (fits_windows(c)) return convolve_windows(c, x.data, w.data, y);
  if (winograd_strides(strided(c))) return winograd_convolve(strided(c), x.data, w.data, kZeros, y);
  convolve_by_taps(c, x.data, w.data, y, false);
}

void compute_tap_gradient_image(const Options& o, Call& call) {
  const Image w(call, 0), dy(call, 1);
  if (!call.ok()) return;
  const std::vector<int64_t> image{dy.shape[0], o.size[0], o.size[1], w.shape[2]};
  const TapConvolution c = tap_convolution(call, o, image, w.shape[2], w.shape[3]);
  if (!is_filter(w, o) || dy.shape != std::vector<int64_t>{c.batch, c.out_size(0), c.out_size(1), c.out})
    call.fail("A filter and its convolution's gradient are expected.");
  if (!call.ok()) return;
  float* dx = call.floats_out(0, image);
  if (!call.ok()) return;
  if (winograd_strides(strided(c))) return winograd_gradient_image(strided(c), w.data, dy.data, dx);
  convolve_by_taps(c, dy.data, w.data, dx, true);
}

void compute_tap_gradient_filter(const Options& o, Call& call) {
  const Image x(call, 0), dy(call, 1);
  if (!call.ok()) return;
  const TapConvolution c = tap_convolution(call, o, x.shape, x.channels, dy.channels);
  if (dy.shape != std::vector<int64_t>{c.batch, c.out_size(0), c.out_size(1), c.out})
    call.fail("An image and its convolution's gradient are expected.");
  if (!call.ok()) return;
  float* dw = call.floats_out(0, {c.window[0], c.window[1], c.in, c.out});
  if (!call.ok()) return;
  if (fits_windows(c)) return gradient_of_windows(c, x.data, dy.data, dw);
  if (winograd_strides(strided(c))) return winograd_gradient_filter(strided(c), x.data, dy.data, dw);
  gradient_of_taps(c, x.data, dy.data, dw);
}

}  // namespace
}  // namespace g2d
