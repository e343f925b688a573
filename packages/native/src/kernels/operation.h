#pragma once
// How an operation of ours meets TensorFlow: its tensors, its attributes, its registration.
#include <exception>
#include <initializer_list>
#include <string>
#include <vector>

#include "batch-norm.h"
#include "tensorflow-kernels.h"

namespace g2d {
namespace {

struct Options {
  float epsilon = 0;
  float momentum = 0;
  Activation activation;
  unsigned char transpose_a = 0, transpose_b = 0, bfloat16 = 0;
  // Window, stride and padding of the pooling, each vertical and horizontal.
  int64_t pool[6] = {};
  // Height and width of the image.
  int64_t size[2] = {};
  // Padding of the convolution, vertical and horizontal.
  int64_t padding[2] = {};
  // Of dropout: what it multiplies by.
  float factor = 1;
  // Of attention: of the products, and how many heads.
  float scale = 1;
  int64_t heads[1] = {1};
  // Of a depthwise convolution: strides, padding (top, bottom, left, right), the image's height and width, the window's.
  int64_t geometry[9] = {};
  // Of a sum over processes: the number of the memory they share, which process this is, how many there are.
  int64_t place[3] = {};
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

enum Attributes {
  kActivation = 1, kEpsilon = 2, kMomentum = 4, kStatistics = 6, kPool = 8, kSize = 16, kPadding = 32,
  kFactor = 64, kHeads = 128, kProduct = 256, kGeometry = 512, kPlace = 1024, kRounding = 2048
};

template <int attributes>
void* create(TF_OpKernelConstruction* construction) {
  auto* o = new Options();
  Status status;
  if (attributes & kEpsilon) TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &o->epsilon, status);
  if (attributes & kMomentum && status.ok())
    TF_OpKernelConstruction_GetAttrFloat(construction, "momentum", &o->momentum, status);
  if (attributes & kActivation && status.ok())
    TF_OpKernelConstruction_GetAttrFloat(construction, "slope", &o->activation.slope, status);
  if (attributes & kActivation && status.ok())
    TF_OpKernelConstruction_GetAttrFloat(construction, "most", &o->activation.most, status);
  if (attributes & kProduct && status.ok())
    TF_OpKernelConstruction_GetAttrBool(construction, "transpose_a", &o->transpose_a, status);
  if (attributes & kProduct && status.ok())
    TF_OpKernelConstruction_GetAttrBool(construction, "transpose_b", &o->transpose_b, status);
  if (attributes & kRounding && status.ok())
    TF_OpKernelConstruction_GetAttrBool(construction, "round_to_bfloat16", &o->bfloat16, status);
  if (attributes & kPool && status.ok())
    TF_OpKernelConstruction_GetAttrInt64List(construction, "window", o->pool, 6, status);
  if (attributes & kSize && status.ok())
    TF_OpKernelConstruction_GetAttrInt64List(construction, "size", o->size, 2, status);
  if (attributes & kPadding && status.ok())
    TF_OpKernelConstruction_GetAttrInt64List(construction, "padding", o->padding, 2, status);
  if (attributes & kFactor && status.ok())
    TF_OpKernelConstruction_GetAttrFloat(construction, "factor", &o->factor, status);
  if (attributes & kHeads && status.ok())
    TF_OpKernelConstruction_GetAttrFloat(construction, "scale", &o->scale, status);
  if (attributes & kHeads && status.ok())
    TF_OpKernelConstruction_GetAttrInt64List(construction, "heads", o->heads, 1, status);
  if (attributes & kGeometry && status.ok())
    TF_OpKernelConstruction_GetAttrInt64List(construction, "geometry", o->geometry, 9, status);
  if (attributes & kPlace && status.ok())
    TF_OpKernelConstruction_GetAttrInt64List(construction, "place", o->place, 3, status);
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

/** Registers an operation with its kernel, unless it is there. Gives an error or nothing. */
template <int attributes, void (*body)(const Options&, Call&)>
std::string register_operation(const char* name, std::initializer_list<const char*> inputs,
                               std::initializer_list<const char*> outputs) {
  // Another copy of this library, of another project in the process, may have been first; twice would end the process.
  if (is_registered(name)) return "";
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(name);
  for (const char* input : inputs) TF_OpDefinitionBuilderAddInput(definition, input);
  for (const char* output : outputs) TF_OpDefinitionBuilderAddOutput(definition, output);
  if (attributes & kEpsilon) TF_OpDefinitionBuilderAddAttr(definition, "epsilon: float");
  if (attributes & kMomentum) TF_OpDefinitionBuilderAddAttr(definition, "momentum: float");
  if (attributes & kActivation) {
    TF_OpDefinitionBuilderAddAttr(definition, "slope: float");
    TF_OpDefinitionBuilderAddAttr(definition, "most: float");
  }
  if (attributes & kProduct) {
    TF_OpDefinitionBuilderAddAttr(definition, "transpose_a: bool");
    TF_OpDefinitionBuilderAddAttr(definition, "transpose_b: bool");
  }
  if (attributes & kRounding) TF_OpDefinitionBuilderAddAttr(definition, "round_to_bfloat16: bool");
  if (attributes & kPool) TF_OpDefinitionBuilderAddAttr(definition, "window: list(int) >= 6");
  if (attributes & kSize) TF_OpDefinitionBuilderAddAttr(definition, "size: list(int) >= 2");
  if (attributes & kPadding) TF_OpDefinitionBuilderAddAttr(definition, "padding: list(int) >= 2");
  if (attributes & kFactor) TF_OpDefinitionBuilderAddAttr(definition, "factor: float");
  if (attributes & kHeads) TF_OpDefinitionBuilderAddAttr(definition, "scale: float");
  if (attributes & kHeads) TF_OpDefinitionBuilderAddAttr(definition, "heads: list(int) >= 1");
  if (attributes & kGeometry) TF_OpDefinitionBuilderAddAttr(definition, "geometry: list(int) >= 9");
  if (attributes & kPlace) TF_OpDefinitionBuilderAddAttr(definition, "place: list(int) >= 3");
  Status status;
  TF_RegisterOpDefinition(definition, status);
  if (!status.ok()) return status.message();
  TF_KernelBuilder* builder = TF_NewKernelBuilder(name, "CPU", create<attributes>, compute<body>, destroy);
  TF_RegisterKernelBuilder(name, builder, status);
  return status.ok() ? "" : status.message();
}

}  // namespace
}  // namespace g2d
