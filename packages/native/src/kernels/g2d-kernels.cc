// Operations of our own for TensorFlow, for training residual networks on the processor. An add-on for Node whose loading
// registers them.
#include <node_api.h>

#include <mutex>
#include <string>

#include "batch-norm-operations.h"
#include "convolution-operations.h"
#include "depthwise-operations.h"
#include "product-operations.h"
#include "row-operations.h"
#include "shared-sum.h"

namespace g2d {
namespace {

/** Registers what is not there yet. The number in the names changes with their meaning. */
std::string register_all() {
  std::string error;
#define G2D_FIRST_ERROR(call) \
  if (error.empty()) error = (call)
  G2D_FIRST_ERROR((register_operation<kActivation | kStatistics, compute_batch_norm>(
      "G2dV2BatchNorm", {"x: float", "gamma: float", "beta: float", "mean: float", "variance: float"},
      {"y: float", "new_mean: float", "new_variance: float", "batch_mean: float", "scale: float", "inverse: float"})));
  G2D_FIRST_ERROR((register_operation<kActivation, compute_batch_norm_grad>(
      "G2dV2BatchNormGrad",
      {"x: float", "dy: float", "beta: float", "mean: float", "scale: float", "inverse: float"},
      {"dx: float", "dgamma: float", "dbeta: float"})));
  G2D_FIRST_ERROR((register_operation<kActivation | kStatistics, compute_batch_norm_add>(
      "G2dV2BatchNormAdd",
      {"x: float", "gamma: float", "beta: float", "mean: float", "variance: float", "residual: float"},
      {"y: float", "new_mean: float", "new_variance: float", "batch_mean: float", "scale: float", "inverse: float"})));
  G2D_FIRST_ERROR((register_operation<kActivation, compute_batch_norm_add_grad>(
      "G2dV2BatchNormAddGrad",
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
  G2D_FIRST_ERROR((register_operation<kActivation | kEpsilon, compute_batch_norm_inference>(
      "G2dV2BatchNormInference", {"x: float", "gamma: float", "beta: float", "mean: float", "variance: float"},
      {"y: float"})));
  G2D_FIRST_ERROR((register_operation<kPool, compute_max_pool>("G2dV1MaxPool", {"x: float"},
                                                                {"y: float", "place: uint8"})));
  G2D_FIRST_ERROR((register_operation<kPool | kSize, compute_max_pool_grad>(
      "G2dV1MaxPoolGrad", {"dy: float", "place: uint8"}, {"dx: float"})));
  G2D_FIRST_ERROR((register_operation<kActivation, compute_activation>("G2dV1Activation", {"x: float"}, {"y: float"})));
  G2D_FIRST_ERROR((register_operation<kActivation, compute_activation_grad>(
      "G2dV1ActivationGrad", {"dy: float", "y: float"}, {"dx: float"})));
  G2D_FIRST_ERROR((register_operation<kActivation | kGeometry, compute_depthwise>(
      "G2dV1Depthwise", {"x: float", "filter: float", "bias: float"}, {"y: float"})));
  G2D_FIRST_ERROR((register_operation<kGeometry, compute_depthwise_gradient_image>(
      "G2dV1DepthwiseBackpropInput", {"filter: float", "dy: float"}, {"dx: float"})));
  G2D_FIRST_ERROR((register_operation<kGeometry, compute_depthwise_gradient_filter>(
      "G2dV1DepthwiseBackpropFilter", {"x: float", "dy: float"}, {"dfilter: float"})));
  G2D_FIRST_ERROR((register_operation<kFactor, compute_dropout>("G2dV2Dropout", {"x: float", "draw: int32"},
                                                                 {"y: float"})));
  G2D_FIRST_ERROR((register_operation<kEpsilon | kFactor, compute_layer_norm>(
      "G2dV2LayerNorm", {"x: float", "residual: float", "gamma: float", "beta: float", "draw: int32"},
      {"y: float", "sum: float", "mean: float", "inverse: float"})));
  G2D_FIRST_ERROR((register_operation<kFactor, compute_layer_norm_grad>(
      "G2dV2LayerNormGrad",
      {"sum: float", "dy: float", "gamma: float", "mean: float", "inverse: float", "draw: int32"},
      {"dsum: float", "dx: float", "dgamma: float", "dbeta: float"})));
  G2D_FIRST_ERROR((register_operation<0, compute_gradient_noise>(
      "G2dV1GradientNoise", {"gradient: float", "coefficient: float", "seed: int32"}, {"y: float"})));
#if defined(__linux__)
  G2D_FIRST_ERROR((register_operation<kPlace, compute_shared_sum>("G2dV1SharedSum", {"x: float"}, {"y: float"})));
#endif
  // Without vectors there would be nothing to gain: TensorFlow's own products and convolutions stay.
  if (product_loops().panel > 0) {
    G2D_FIRST_ERROR((register_operation<kProduct | kRounding, compute_product<false>>("G2dV2MatMul", {"a: float", "b: float"},
                                                                            {"y: float"})));
    G2D_FIRST_ERROR((register_operation<kProduct | kRounding | kActivation, compute_product<true>>(
        "G2dV2MatMulWithBias", {"a: float", "b: float", "bias: float"}, {"y: float"})));
    G2D_FIRST_ERROR((register_operation<kPool | kRounding, compute_tap_convolution>("G2dV2Conv2D", {"x: float", "filter: float"},
                                                                        {"y: float"})));
    G2D_FIRST_ERROR((register_operation<kPool | kSize | kRounding, compute_tap_gradient_image>(
        "G2dV2Conv2DBackpropInput", {"filter: float", "dy: float"}, {"dx: float"})));
    G2D_FIRST_ERROR((register_operation<kPool | kRounding, compute_tap_gradient_filter>(
        "G2dV2Conv2DBackpropFilter", {"x: float", "dy: float"}, {"dfilter: float"})));
  }
  if (panel_loops().panel > 0) {
    G2D_FIRST_ERROR((register_operation<kPadding, compute_convolution<false>>(
        "G2dV1Conv3x3", {"x: float", "filter: float"}, {"y: float"})));
    G2D_FIRST_ERROR((register_operation<kPadding, compute_convolution<true>>(
        "G2dV1Conv3x3WithBias", {"x: float", "filter: float", "bias: float"}, {"y: float"})));
    G2D_FIRST_ERROR((register_operation<kPadding, compute_convolution_gradient_image>(
        "G2dV1Conv3x3BackpropInput", {"filter: float", "dy: float"}, {"dx: float"})));
    G2D_FIRST_ERROR((register_operation<kPadding, compute_convolution_gradient_filter>(
        "G2dV1Conv3x3BackpropFilter", {"x: float", "dy: float"}, {"dfilter: float"})));
    G2D_FIRST_ERROR((register_operation<kFactor | kHeads, compute_attention>(
        "G2dV2Attention", {"projected: float", "mask: float", "draw: int32"}, {"y: float"})));
    G2D_FIRST_ERROR((register_operation<kFactor | kHeads, compute_attention_grad>(
        "G2dV2AttentionGrad", {"projected: float", "mask: float", "draw: int32", "dy: float"},
        {"dprojected: float"})));
  }
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
