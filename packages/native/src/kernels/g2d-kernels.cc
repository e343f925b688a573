// Operations of our own for TensorFlow: training's batch normalization together with what follows it in a residual
// network, in as few passes over memory as there are. An add-on for Node whose loading registers them.
#include <node_api.h>

#include <exception>
#include <initializer_list>
#include <mutex>
#include <string>
#include <vector>

#include "batch-norm.h"
#include "tensorflow-kernels.h"

namespace g2d {
namespace {

struct Options {
  float epsilon = 0;
  float momentum = 0;
  unsigned char relu = 0;
  // Window, stride and padding of the pooling, each vertical and horizontal.
  int64_t pool[6] = {};
};

class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  ~Status() { TF_DeleteStatus(status_); }
  Status(const Status&) = delete;
  operator TF_Status*() const { return status_; }
  bool ok() const { return TF_GetCode(status_) == TF_OK; }
  std::string message() const { return TF_Message(status_); }

 private:
  TF_Status* const status_;
};

/** The tensors of one call. After a failure nothing more may be read; TensorFlow reports the first one. */
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context) {}
  ~Call() {
    for (int i = 0; i < count_; i++) TF_DeleteTensor(tensors_[i]);
  }
  Call(const Call&) = delete;

  bool ok() const { return ok_; }

  TF_Tensor* input(int index) {
    TF_Tensor* tensor = nullptr;
    Status status;
    if (ok_) TF_GetInput(context_, index, &tensor, status);
    return take(tensor, status);
  }

  /** An input of so many float32 values. */
  const float* floats(int index, int64_t count) {
    TF_Tensor* tensor = input(index);
    if (tensor && TF_TensorElementCount(tensor) != count) fail("An input has another size than the first one asks for.");
    return ok_ ? static_cast<const float*>(TF_TensorData(tensor)) : nullptr;
  }

  template <typename Value>
  Value* output(int index, TF_DataType type, const std::vector<int64_t>& shape) {
    int64_t count = 1;
    for (int64_t size : shape) count *= size;
    TF_Tensor* tensor = nullptr;
    Status status;
    if (ok_)
      tensor = TF_AllocateOutput(context_, index, type, shape.data(), static_cast<int>(shape.size()),
                                 static_cast<size_t>(count) * sizeof(Value), status);
    take(tensor, status);
    return ok_ ? static_cast<Value*>(TF_TensorData(tensor)) : nullptr;
  }

  float* floats_out(int index, const std::vector<int64_t>& shape) { return output<float>(index, TF_FLOAT, shape); }

  void fail(const char* message) {
    if (!ok_) return;
    ok_ = false;
    Status status;
    TF_SetStatus(status, TF_INVALID_ARGUMENT, message);
    TF_OpKernelContext_Failure(context_, status);
  }

 private:
  TF_Tensor* take(TF_Tensor* tensor, const Status& status) {
    if (tensor) tensors_[count_++] = tensor;
    if (ok_ && !status.ok()) {
      ok_ = false;
      TF_OpKernelContext_Failure(context_, status);
    }
    return ok_ ? tensor : nullptr;
  }

  TF_OpKernelContext* const context_;
  TF_Tensor* tensors_[16];
  int count_ = 0;
  bool ok_ = true;
};

/** [B, H, W, C] that is not empty. */
struct Image {
  const float* data = nullptr;
  std::vector<int64_t> shape;
  int64_t rows = 0, channels = 0, size = 0;

  Image(Call& call, int index) {
    TF_Tensor* tensor = call.input(index);
    if (!tensor) return;
    for (int i = 0; i < TF_NumDims(tensor); i++) shape.push_back(TF_Dim(tensor, i));
    size = TF_TensorElementCount(tensor);
    if (shape.size() != 4 || size == 0) {
      call.fail("[B, H, W, C] with at least one value is expected.");
      return;
    }
    channels = shape[3];
    rows = size / channels;
    data = static_cast<const float*>(TF_TensorData(tensor));
  }
};

/** The windows over an image; its output's shape must be positive. */
Pool windows(Call& call, const Image& x, const int64_t* o) {
  Pool p{x.shape[1], x.shape[2], x.channels, 0, 0, o[0], o[1], o[2], o[3], o[4], o[5]};
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

void compute_batch_norm(const Options& o, Call& call) {
  const Image x(call, 0);
  Affine n;
  if (!call.ok() || !statistics(call, o, x, 1, n)) return;
  float* y = call.floats_out(0, x.shape);
  if (call.ok()) batch_normalize(n, x.data, nullptr, y, o.relu);
}

void compute_batch_norm_add_relu(const Options& o, Call& call) {
  const Image x(call, 0);
  Affine n;
  if (!call.ok() || !statistics(call, o, x, 1, n)) return;
  const float* residual = call.floats(5, x.size);
  float* y = call.floats_out(0, x.shape);
  if (call.ok()) batch_normalize(n, x.data, residual, y, true);
}

void compute_batch_norm_pool(const Options& o, Call& call) {
  const Image x(call, 0);
  if (!call.ok()) return;
  const Pool p = windows(call, x, o.pool);
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
  if (!call.ok()) return;
  const float* dy = call.floats(1, x.size);
  Affine n;
  const float* inverse = affine(call, x, 2, n);
  float* dx = call.floats_out(0, x.shape);
  float* dgamma = call.floats_out(1, {x.channels});
  float* dbeta = call.floats_out(2, {x.channels});
  if (!call.ok()) return;
  std::vector<double> total, weighted;
  batch_gradient_sums(n, dy, x.data, nullptr, nullptr, o.relu ? Gate::kInput : Gate::kNone, total, weighted);
  const Correction k(total, weighted, x.rows, inverse, dgamma, dbeta);
  batch_gradient_input(n, dy, x.data, dx, k.a.data(), k.b.data(), o.relu);
}

void compute_batch_norm_add_relu_grad(const Options&, Call& call) {
  const Image x(call, 0);
  if (!call.ok()) return;
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
  batch_gradient_sums(n, dy, x.data, y, dresidual, Gate::kOutput, total, weighted);
  const Correction k(total, weighted, x.rows, inverse, dgamma, dbeta);
  batch_gradient_input(n, dresidual, x.data, dx, k.a.data(), k.b.data(), false);
}

void compute_batch_norm_pool_grad(const Options& o, Call& call) {
  const Image x(call, 0);
  if (!call.ok()) return;
  const Pool p = windows(call, x, o.pool);
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
  batch_gradient_sums(pooled, dy, winner, nullptr, nullptr, Gate::kInput, total, weighted);
  const Correction k(total, weighted, x.rows, inverse, dgamma, dbeta);
  batch_pool_gradient(n, p, x.shape[0], dy, winner, static_cast<const uint8_t*>(TF_TensorData(places)), x.data, dx,
                      k.a.data(), k.b.data());
}

enum Attributes { kRelu = 1, kStatistics = 2, kPool = 4 };

template <int attributes>
void* create(TF_OpKernelConstruction* construction) {
  auto* o = new Options();
  Status status;
  if (attributes & kStatistics) {
    TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &o->epsilon, status);
    if (status.ok()) TF_OpKernelConstruction_GetAttrFloat(construction, "momentum", &o->momentum, status);
  }
  if (attributes & kRelu && status.ok())
    TF_OpKernelConstruction_GetAttrBool(construction, "relu", &o->relu, status);
  if (attributes & kPool && status.ok())
    TF_OpKernelConstruction_GetAttrInt64List(construction, "window", o->pool, 6, status);
  if (!status.ok()) TF_OpKernelConstruction_Failure(construction, status);
  return o;
}

template <void (*body)(const Options&, Call&)>
void compute(void* options, TF_OpKernelContext* context) {
  Call call(context);
  try {
    body(*static_cast<const Options*>(options), call);
  } catch (const std::exception&) {
    call.fail("Memory or threads are exhausted.");
  }
}

void destroy(void* options) { delete static_cast<Options*>(options); }

bool is_registered(const char* name) {
  Status status;
  TF_Buffer* list = TF_GetRegisteredKernelsForOp(name, status);
  const bool found = list && list->length > 0;
  if (list) TF_DeleteBuffer(list);
  return found;
}

/** Registers an operation with its kernel. Gives an error or nothing. */
template <int attributes, void (*body)(const Options&, Call&)>
std::string register_operation(const char* name, std::initializer_list<const char*> inputs,
                               std::initializer_list<const char*> outputs) {
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(name);
  for (const char* input : inputs) TF_OpDefinitionBuilderAddInput(definition, input);
  for (const char* output : outputs) TF_OpDefinitionBuilderAddOutput(definition, output);
  if (attributes & kStatistics) {
    TF_OpDefinitionBuilderAddAttr(definition, "epsilon: float");
    TF_OpDefinitionBuilderAddAttr(definition, "momentum: float");
  }
  if (attributes & kRelu) TF_OpDefinitionBuilderAddAttr(definition, "relu: bool");
  if (attributes & kPool) TF_OpDefinitionBuilderAddAttr(definition, "window: list(int) >= 6");
  Status status;
  TF_RegisterOpDefinition(definition, status);
  if (!status.ok()) return status.message();
  TF_KernelBuilder* builder = TF_NewKernelBuilder(name, "CPU", create<attributes>, compute<body>, destroy);
  TF_RegisterKernelBuilder(name, builder, status);
  return status.ok() ? "" : status.message();
}

/** Registers what is not there yet. The number in the names changes with their meaning. */
std::string register_all() {
  // Another copy of this library, of another project in the process, may have been first; twice would end the process.
  if (is_registered("G2dV1BatchNorm")) return "";
  std::string error;
#define G2D_FIRST_ERROR(call) \
  if (error.empty()) error = (call)
  G2D_FIRST_ERROR((register_operation<kRelu | kStatistics, compute_batch_norm>(
      "G2dV1BatchNorm", {"x: float", "gamma: float", "beta: float", "mean: float", "variance: float"},
      {"y: float", "new_mean: float", "new_variance: float", "batch_mean: float", "scale: float", "inverse: float"})));
  G2D_FIRST_ERROR((register_operation<kRelu, compute_batch_norm_grad>(
      "G2dV1BatchNormGrad",
      {"x: float", "dy: float", "beta: float", "mean: float", "scale: float", "inverse: float"},
      {"dx: float", "dgamma: float", "dbeta: float"})));
  G2D_FIRST_ERROR((register_operation<kStatistics, compute_batch_norm_add_relu>(
      "G2dV1BatchNormAddRelu",
      {"x: float", "gamma: float", "beta: float", "mean: float", "variance: float", "residual: float"},
      {"y: float", "new_mean: float", "new_variance: float", "batch_mean: float", "scale: float", "inverse: float"})));
  G2D_FIRST_ERROR((register_operation<0, compute_batch_norm_add_relu_grad>(
      "G2dV1BatchNormAddReluGrad",
      {"x: float", "dy: float", "beta: float", "mean: float", "scale: float", "inverse: float", "y: float"},
      {"dx: float", "dgamma: float", "dbeta: float", "dresidual: float"})));
  G2D_FIRST_ERROR((register_operation<kStatistics | kPool, compute_batch_norm_pool>(
      "G2dV1BatchNormReluMaxPool", {"x: float", "gamma: float", "beta: float", "mean: float", "variance: float"},
      {"y: float", "winner: float", "place: uint8", "new_mean: float", "new_variance: float", "batch_mean: float",
       "scale: float", "inverse: float"})));
  G2D_FIRST_ERROR((register_operation<kPool, compute_batch_norm_pool_grad>(
      "G2dV1BatchNormReluMaxPoolGrad",
      {"x: float", "dy: float", "beta: float", "mean: float", "scale: float", "inverse: float", "winner: float",
       "place: uint8"},
      {"dx: float", "dgamma: float", "dbeta: float"})));
#undef G2D_FIRST_ERROR
  return error;
}

}  // namespace
}  // namespace g2d

extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env,
                                                                                      napi_value exports) {
  // Loaded again in every worker thread of Node.
  static std::once_flag once;
  static std::string error;
  std::call_once(once, [] { error = g2d::register_all(); });
  if (!error.empty()) napi_throw_error(env, nullptr, error.c_str());
  return exports;
}
