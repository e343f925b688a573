import * as tf from '@tensorflow/tfjs-core';
import { registerActivation } from './activation.js';
import { registerAttention } from './attention.js';
import { registerBatchNorm } from './batch-norm.js';
import { registerConv2D } from './conv2d.js';
import { registerDepthwise } from './depthwise.js';
import { registerDropout } from './dropout.js';
import { registerFusedBatchNorm } from './fused-batch-norm.js';
import { registerGlobalAverage } from './global-average.js';
import { registerLayerNorm } from './layer-norm.js';
import { registerLinear } from './linear.js';
import { registerMaxPool } from './max-pool.js';
import { registerPad } from './pad.js';
import { registerReshape } from './reshape.js';
import { TENSORFLOW } from '@g2d/tensor-ops/tensorflow';
import { registerWasmConvGradients } from './wasm-conv-gradients.js';
import { registerWasmDepthwiseGradients } from './wasm-depthwise-gradients.js';
import { registerWasmNonFinite } from './wasm-non-finite.js';

// The marker lives in the process, not in this module: ESM and CommonJS copies share one kernel registry, and tfjs's own
// WASM kernels are replaced once.
const MARKER = Symbol.for('@g2d/wasm-kernels-registered');
const shared = globalThis as { [MARKER]?: true };
let registered = false;

/**
 * Registers the kernels that training needs and the current backend lacks: fused training kernels on `tensorflow`,
 * the gradients of convolution, also depthwise, on `wasm`, where ReLU6, maxima and means of windows learn to keep NaN. Does nothing on other backends, and nothing the second time.
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
    registerAttention();
    registerDropout();
  } else if (backend === 'wasm' && !shared[MARKER]) {
    shared[MARKER] = true;
    registerWasmConvGradients();
    registerWasmDepthwiseGradients();
    registerWasmNonFinite();
  }
}
