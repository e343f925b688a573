// Convolutions of 3 × 3 taps, and of few channels, of random shapes, next to the same in double precision and written plainly. Built with sanitizers by
// `fuzz.slow.ts`. Prints the largest differences, relative to the largest value of each result, and a hash of all bits.
#include "activation.h"
#include "fuzz.h"
#include "window-convolution.h"
#include "winograd.h"

using namespace g2d;

namespace {

Bits bits;

struct Worst {
  double two = 0, four = 0, strided = 0;
};

void fuzz(Worst& worst, bool strided) {
  const auto channels = [] { return 32 * between(1, 3); };
  Convolution c{between(1, 3), between(1, 30), between(1, 30), channels(), channels(), between(0, 2), between(0, 2)};
  if (strided) c.pad_height = c.pad_width = 1, c.stride = 2;
  if (!c.fits()) return;
  const int64_t high = c.out_height(), wide = c.out_width();
  const Floats x = normal(c.batch * c.height * c.width * c.in, 1), w = normal(9 * c.in * c.out, 1 / std::sqrt(9.0 * c.in));
  const Floats dy = normal(c.batch * high * wide * c.out, 1), bias = normal(c.out, 1);
  Floats y(dy.size()), dx(x.size()), dw(w.size());
  winograd_convolve(c, x.data(), w.data(), bias.data(), y.data());
  winograd_gradient_image(c, w.data(), dy.data(), dx.data());
  winograd_gradient_filter(c, x.data(), dy.data(), dw.data());
  for (const Floats* values : {&y, &dx, &dw}) bits.add(*values);

  Doubles all(y.size()), image(x.size()), taps(w.size());
  for (int64_t b = 0; b < c.batch; b++)
    for (int64_t i = 0; i < high; i++)
      for (int64_t j = 0; j < wide; j++) {
        const int64_t result = ((b * high + i) * wide + j) * c.out;
        for (int64_t k = 0; k < c.out; k++) all[result + k] += bias[k];
        for (int64_t tap = 0; tap < 9; tap++) {
          const int64_t row = i * c.stride + tap / 3 - c.pad_height, column = j * c.stride + tap % 3 - c.pad_width;
          if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
          const int64_t source = ((b * c.height + row) * c.width + column) * c.in;
          for (int64_t n = 0; n < c.in; n++)
            for (int64_t k = 0; k < c.out; k++) {
              const int64_t weight = (tap * c.in + n) * c.out + k;
              all[result + k] += static_cast<double>(x[source + n]) * w[weight];
              image[source + n] += static_cast<double>(dy[result + k]) * w[weight];
              taps[weight] += static_cast<double>(dy[result + k]) * x[source + n];
            }
        }
      }
  const auto keep = [&](const WinogradForm& form, double own) {
    const auto& forms = winograd_forms();
    double& place = &form == &forms.two_outputs ? worst.two : &form == &forms.four_outputs ? worst.four : worst.strided;
    place = std::max(place, own);
  };
  keep(image_form(c, false), difference(y, all, 0));
  keep(image_form(c, true), difference(dx, image, 0));
  keep(filter_form(c), difference(dw, taps, 0));

  // An image comes to what it does alone.
  const int64_t one = c.batch - 1, pixels = c.height * c.width * c.in, results = high * wide * c.out;
  Convolution alone = c;
  alone.batch = 1;
  Floats y1(results), dx1(pixels);
  winograd_convolve(alone, x.data() + one * pixels, w.data(), bias.data(), y1.data());
  winograd_gradient_image(alone, w.data(), dy.data() + one * results, dx1.data());
  if (std::memcmp(y1.data(), y.data() + one * results, results * sizeof(float)) ||
      std::memcmp(dx1.data(), dx.data() + one * pixels, pixels * sizeof(float)))
    worst = {INFINITY, INFINITY, INFINITY};
}

/** Few channels, windows of any size, next to the same in double precision. */
double fuzz_windows() {
  TapConvolution c{between(1, 3), between(1, 30), between(1, 30), between(1, 15), 32 * between(1, 3),
                   {between(1, 7), between(1, 7)}, {between(1, 3), between(1, 3)}, {between(0, 3), between(0, 3)}};
  const int64_t high = c.out_size(0), wide = c.out_size(1);
  if (high == 0 || wide == 0 || !fits_windows(c)) return 0;
  const Floats x = normal(c.batch * c.height * c.width * c.in), w = normal(c.taps() * c.in * c.out);
  const Floats dy = normal(c.out_rows() * c.out);
  Floats y(dy.size()), dw(w.size());
  convolve_windows(c, x.data(), w.data(), y.data());
  gradient_of_windows(c, x.data(), dy.data(), dw.data());
  bits.add(y);
  bits.add(dw);
  Doubles outputs(y.size()), taps(w.size());
  for (int64_t i = 0; i < c.out_rows(); i++)
    for (int64_t tap = 0; tap < c.taps(); tap++) {
      const int64_t row = i / wide % high * c.strides[0] + tap / c.window[1] - c.padding[0];
      const int64_t column = i % wide * c.strides[1] + tap % c.window[1] - c.padding[1];
      if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
      const int64_t source = ((i / (high * wide) * c.height + row) * c.width + column) * c.in;
      for (int64_t n = 0; n < c.in; n++)
        for (int64_t k = 0; k < c.out; k++) {
          const int64_t weight = (tap * c.in + n) * c.out + k;
          outputs[i * c.out + k] += static_cast<double>(x[source + n]) * w[weight];
          taps[weight] += static_cast<double>(dy[i * c.out + k]) * x[source + n];
        }
    }
  return std::max(difference(y, outputs, 0), difference(dw, taps, 0));
}

}  // namespace

int main() {
  if (panel_loops().panel == 0) {
    std::puts("{}");
    return 0;
  }
  Worst worst;
  for (int i = 0; i < 60; i++) fuzz(worst, i % 3 == 0);
  double windows = 0;
  for (int i = 0; i < 40; i++) windows = std::max(windows, fuzz_windows());
  std::printf("{\"two\": %g, \"four\": %g, \"strided\": %g, \"windows\": %g, \"bits\": \"%016llx\"}\n", worst.two,
              worst.four, worst.strided, windows, static_cast<unsigned long long>(bits.hash));
}
