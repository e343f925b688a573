// Products of random shapes, sides and places, and convolutions by them, against double precision; built with sanitizers by `product.test.ts`. Every
// operand has a piece of memory of its own, no larger than it must be.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "../src/kernels/tap-convolution.h"

namespace {

using namespace g2d;

std::mt19937 generator(7);

int64_t below(int64_t end) { return static_cast<int64_t>(generator() % static_cast<uint64_t>(end)); }

/** Lines of their own, in any order, or a step apart. */
template <typename Float>
struct Matrix {
  std::vector<std::unique_ptr<float[]>> pieces;
  std::vector<Float*> table;
  Lines<Float> lines{nullptr, 0};

  Matrix(int64_t count, int64_t length) {
    const bool apart = below(2) == 0;
    const int64_t step = apart ? length : length + below(5);
    const int64_t size = count == 0 ? 0 : apart ? length : (count - 1) * step + length;
    for (int64_t i = 0; i < (apart ? count : 1); i++) {
      pieces.emplace_back(new float[static_cast<size_t>(size)]);
      for (int64_t k = 0; k < size; k++) pieces.back()[k] = static_cast<float>(below(2001) - 1000) / 1000;
      table.push_back(pieces.back().get());
    }
    lines = {table.empty() ? nullptr : table[0], step, apart ? table.data() : nullptr};
  }
};

void expect(bool right, const char* what) {
  if (right) return;
  std::printf("%s\n", what);
  std::exit(1);
}

/** To the nearest bfloat16, ties to even. */
float rounded(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if (std::isfinite(value)) bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}

void compare(int64_t rows, int64_t columns, int64_t depth) {
  const bool a_along = below(2) == 0, b_along = below(2) == 0;
  const Matrix<const float> a(a_along ? rows : depth, a_along ? depth : rows);
  const Matrix<const float> b(b_along ? columns : depth, b_along ? depth : columns);
  const Matrix<float> c(rows, columns);
  const Matrix<const float> bias(1, columns);
  Product p{rows, columns, depth, {a.lines, a_along}, {b.lines, b_along}, c.lines};
  p.add = below(2) == 0;
  static const Activation kForms[] = {{1, INFINITY}, {0, INFINITY}, {0, 0.5f}, {0.25f, INFINITY}};
  p.activation = kForms[below(4)];
  if (below(2) == 0) p.bias = bias.lines[0];
  p.bfloat16 = product_loops(true).panel > 0 && below(3) == 0;
  const auto factor = [&](float value) { return static_cast<double>(p.bfloat16 ? rounded(value) : value); };
  // What is not a number reaches its own row or column and no other.
  const int64_t nan_row = below(4) == 0 && depth > 0 && rows > 0 ? below(rows) : -1;
  if (nan_row >= 0) {
    const int64_t k = below(depth);
    *const_cast<float*>(a_along ? a.lines[nan_row] + k : a.lines[k] + nan_row) = std::numeric_limits<float>::quiet_NaN();
  }
  std::vector<double> before;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) before.push_back(p.add ? c.lines[i][j] : 0.0);
  if (below(2) == 0)
    product(p);
  else
    product_alone(p);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) {
      double sum = before[static_cast<size_t>(i * columns + j)] + (p.bias ? p.bias[j] : 0.0f);
      double size = 1 + std::fabs(sum);
      for (int64_t k = 0; k < depth; k++) {
        const double term = factor(a_along ? a.lines[i][k] : a.lines[k][i]) * factor(b_along ? b.lines[j][k] : b.lines[k][j]);
        sum += term;
        size += std::fabs(term);
      }
      const float value = c.lines[i][j];
      if (i == nan_row) {
        expect(std::isnan(value), "a NaN is lost");
      } else {
        const Activation form = p.activation;
        const double wanted = std::fmin(sum < 0 ? form.slope * sum : sum, static_cast<double>(form.most));
        expect(std::fabs(static_cast<double>(value) - wanted) <= 2e-6 * size, "a product is wrong");
      }
    }
}

std::unique_ptr<float[]> values(int64_t count) {
  std::unique_ptr<float[]> data(new float[static_cast<size_t>(count)]);
  for (int64_t i = 0; i < count; i++) data[i] = static_cast<float>(below(2001) - 1000) / 1000;
  return data;
}

/** The three products that a convolution and its gradients are, place by place. */
void compare_convolution() {
  TapConvolution c{1 + below(3), 1 + below(9), 1 + below(9), 1 + below(40), 1 + below(40), {}, {}, {}};
  for (int axis = 0; axis < 2; axis++) {
    c.window[axis] = 1 + below(3);
    c.strides[axis] = 1 + below(3);
    c.padding[axis] = below(3);
  }
  if (c.out_size(0) == 0 || c.out_size(1) == 0) return;
  c.bfloat16 = product_loops(true).panel > 0 && below(3) == 0;
  const auto factor = [&](float value) { return static_cast<double>(c.bfloat16 ? rounded(value) : value); };
  const int64_t image = c.batch * c.height * c.width * c.in, result = c.out_rows() * c.out;
  const int64_t filter = c.taps() * c.in * c.out;
  const auto x = values(image), w = values(filter), dy = values(result), y = values(result), dx = values(image),
             dw = values(filter);
  convolve_by_taps(c, x.get(), w.get(), y.get(), false);
  convolve_by_taps(c, dy.get(), w.get(), dx.get(), true);
  gradient_of_taps(c, x.get(), dy.get(), dw.get());
  std::vector<double> y0(static_cast<size_t>(result)), dx0(static_cast<size_t>(image)), dw0(static_cast<size_t>(filter));
  for (int64_t tap = 0; tap < c.taps(); tap++)
    for (int64_t place = 0; place < c.out_rows(); place++) {
      const int64_t wide = c.out_size(1), high = c.out_size(0), b = place / (wide * high);
      const int64_t row = place / wide % high * c.strides[0] + tap / c.window[1] - c.padding[0];
      const int64_t column = place % wide * c.strides[1] + tap % c.window[1] - c.padding[1];
      if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
      for (int64_t i = 0; i < c.in; i++)
        for (int64_t k = 0; k < c.out; k++) {
          const int64_t from = ((b * c.height + row) * c.width + column) * c.in + i, to = place * c.out + k;
          const int64_t weight = (tap * c.in + i) * c.out + k;
          y0[to] += factor(x[from]) * factor(w[weight]);
          dx0[from] += factor(dy[to]) * factor(w[weight]);
          dw0[weight] += factor(x[from]) * factor(dy[to]);
        }
    }
  const auto close = [](const float* own, const std::vector<double>& wanted) {
    for (size_t i = 0; i < wanted.size(); i++)
      expect(std::fabs(static_cast<double>(own[i]) - wanted[i]) <= 1e-4, "a convolution is wrong");
  };
  close(y.get(), y0);
  close(dx.get(), dx0);
  close(dw.get(), dw0);
}

}  // namespace

int main(int, char** arguments) {
  if (product_loops().panel == 0) return std::printf("no vectors\n"), 0;
  const int count = std::atoi(arguments[1]);
  for (int i = 0; i < count; i++) {
    const int64_t most = i % 10 == 0 ? 400 : 40;
    compare(below(most), below(most), below(i % 3 == 0 ? 700 : 20));
  }
  for (int i = 0; i < count; i++) compare_convolution();
  // More of a side than is packed at a time: several pieces of the depth, several of the rows.
  compare(3, 2, (4 << 20) / 8 + 300);
  compare(20, 40, 9000);
  compare(20, 70, 9000);
  compare((4 << 20) / 256 + 200, 3, 300);
  std::printf("right\n");
}
