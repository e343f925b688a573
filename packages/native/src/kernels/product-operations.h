#pragma once
// Products of matrices and of batches of matrices, and with a bias and an activation.
#include "operation.h"
#include "product.h"

namespace g2d {
namespace {

/** [..., rows, columns], or transposed. */
struct Matrices {
  const float* data = nullptr;
  std::vector<int64_t> shape;
  int64_t rows = 0, columns = 0, batch = 1;
  bool transposed;

  Matrices(Call& call, int index, bool transpose) : transposed(transpose) {
    TF_Tensor* tensor = call.input(index);
    if (!tensor) return;
    const int axes = TF_NumDims(tensor);
    if (axes < 2) {
      call.fail("Matrices are expected.");
      return;
    }
    for (int i = 0; i < axes - 2; i++) {
      shape.push_back(TF_Dim(tensor, i));
      batch *= shape.back();
    }
    rows = TF_Dim(tensor, transpose ? axes - 1 : axes - 2);
    columns = TF_Dim(tensor, transpose ? axes - 2 : axes - 1);
    data = static_cast<const float*>(TF_TensorData(tensor));
  }

  const float* at(int64_t index) const { return data + index * rows * columns; }
};

void require_bfloat16(Call& call, const Options& o) {
  if (o.bfloat16 && product_loops(true).panel == 0) call.fail("A processor with vectors of bfloat16, and without AMX, is expected.");
}

/** Products with fewer multiplications are too small for several threads. */
constexpr int64_t kAlone = 4 << 20;

template <bool biased>
void compute_product(const Options& o, Call& call) {
  const Matrices a(call, 0, o.transpose_a), b(call, 1, o.transpose_b);
  require_bfloat16(call, o);
  if (call.ok() && (a.shape != b.shape || a.columns != b.rows)) call.fail("Matrices that can be multiplied are expected.");
  const float* bias = biased ? call.floats(2, b.columns) : nullptr;
  if (!call.ok()) return;
  std::vector<int64_t> shape = a.shape;
  shape.push_back(a.rows);
  shape.push_back(b.columns);
  float* y = call.floats_out(0, shape);
  if (!call.ok()) return;
  const auto one = [&](int64_t i) {
    const Operand left{{a.at(i), o.transpose_a ? a.rows : a.columns}, !o.transpose_a};
    const Operand right{{b.at(i), o.transpose_b ? b.rows : b.columns}, o.transpose_b != 0};
    return Product{a.rows, b.columns, a.columns, left, right, {y + i * a.rows * b.columns, b.columns}, false, bias,
                   o.activation, o.bfloat16 != 0};
  };
  if (a.batch > 1 && a.rows * a.columns * b.columns < kAlone) {
    Workers::get().run(a.batch, [&](int64_t i) { product_alone(one(i)); });
  } else {
    for (int64_t i = 0; i < a.batch; i++) product(one(i));
  }
}

}  // namespace
}  // namespace g2d
