import * as tf from '@tensorflow/tfjs-core';
import { registerActivation } from './activation.js';
import { registerBatchNorm } from './batch-norm.js';
import { registerConv2D } from './conv2d.js';
import { registerDepthwise } from './depthwise.js';
import { registerDropout } from './dropout.js';
import { registerFusedAttention } from './fused-attention.js';
import { registerFusedBatchNorm } from './fused-batch-norm.js';
import { registerFusedLayerNorm } from './fused-layer-norm.js';
import { registerGlobalAverage } from './global-average.js';
import { registerLayerNorm } from './layer-norm.js';
import { registerLinear } from './linear.js';
import { registerMaxPool } from './max-pool.js';
import { registerPad } from './pad.js';
import { registerPlainAttention } from './plain-attention.js';
import { registerReshape } from './reshape.js';
import { TENSORFLOW } from '@g2d/tensor-ops/tensorflow';
import { registerWasmAttention } from './wasm-attention.js';
import { registerWasmBatchNorm } from './wasm-batch-norm.js';
import { registerWasmConvolution } from './wasm-conv.js';
import { registerWasmConvGradients } from './wasm-conv-gradients.js';
import { registerWasmDense } from './wasm-dense.js';
import { registerWasmDepthwiseGradients } from './wasm-depthwise-gradients.js';
import { registerWasmIdentity } from './wasm-identity.js';
import { registerWasmLayerNorm } from './wasm-layer-norm.js';
import { wasmModule } from './wasm-module.js';
import { registerWasmNonFinite } from './wasm-non-finite.js';
import { registerWasmSegmentSum } from './wasm-segment-sum.js';
import { registerWasmSGD } from './wasm-sgd.js';

// The marker lives in the process, not in this module: ESM and CommonJS copies share one kernel registry, and tfjs's own
// WASM kernels are replaced once.
const MARKER = Symbol.for('@g2d/wasm-kernels-registered');
const shared = globalThis as { [MARKER]?: true };
let registered = false;

/**
 * Registers the kernels that training needs and the current backend lacks: fused training kernels on `tensorflow`,
 * on `wasm` our module's, the gradients of convolution, also depthwise, and kernels that keep NaN. Does nothing on other backends, and nothing the second time.
 *
 * `accelerate` calls it; call it yourself to train plain layers on WASM.
 */
export function registerTrainingKernels(): void {
  const backend = tf.getBackend();
  if (backend === TENSORFLOW && !registered) {
    registered = true;
    registerConv2D();
    registerBatchNorm();
    registerFusedBatchNorm();
    registerActivation();
    registerDepthwise();
    registerMaxPool();
    registerPad();
    registerGlobalAverage();
    registerLinear();
    registerReshape();
    registerLayerNorm();
    registerFusedLayerNorm();
    registerPlainAttention();
    registerFusedAttention();
    registerDropout();
  } else if (backend === 'wasm' && !shared[MARKER]) {
    shared[MARKER] = true;
    registerWasmConvGradients();
    registerWasmDepthwiseGradients();
    registerWasmNonFinite();
    registerWasmIdentity();
    registerWasmSegmentSum();
    if (wasmModule(tf.backend())) {
      registerWasmConvolution();
      registerWasmDense();
      registerWasmBatchNorm();
      registerWasmLayerNorm();
      registerWasmAttention();
      registerWasmSGD();
    }
  }
}
