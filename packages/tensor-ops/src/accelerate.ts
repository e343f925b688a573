import * as tf from '@tensorflow/tfjs-core';
import { compile } from './accelerate/compile.js';
import type { Precision } from './kernels/bfloat16.js';
import { runProgram, type Program } from './accelerate/program.js';
import { registerTrainingKernels } from './kernels/register.js';
import { TENSORFLOW } from './kernels/tensorflow.js';
import type { LayersModel } from './layers-types.js';

/**
 * Runs an ordinary `LayersModel` on fast training kernels. The model stays what it is: same class, topology, names
 * and weights; saved, it loads in plain TensorFlow.js.
 *
 * On the `tensorflow` backend convolution (with PyTorch's symmetric padding where a ZeroPadding2D precedes it),
 * batch and layer normalization, ReLU, maximum pooling, matrix products and attention become few operations with
 * gradients of their own, and what a step no longer needs is freed at once. Layers that TimeDistributed applies to
 * frames run on all frames at a time. Every other layer, option and backend runs the layer itself. On `wasm` the
 * missing convolution gradients are registered. Running variances move as PyTorch's do (unbiased) on every backend.
 *
 * `model.apply(x, { training })` is fast; `fit`, `predict` and `evaluate` use an executor of their own and stay
 * correct at plain speed. Gradients of gradients are an error.
 *
 * @param model Changed in place: its `call` is replaced.
 * @param options `precision`: `'bfloat16'` rounds what convolutions read and write to 8 significant bits, in training
 * too: about twice as fast on CPUs with units for it (AMX, AVX512-BF16), an error of about 0.4 % of the largest value,
 * and slower elsewhere. On the `tensorflow` backend only. Default `'float32'`.
 * @returns The same model.
 * @example
 * const model = accelerate(await tf.loadLayersModel('file://encoder/model.json'));
 */
export function accelerate(
  model: LayersModel,
  { precision = 'float32' }: { readonly precision?: Precision } = {},
): LayersModel {
  const plain = model.call.bind(model);
  const programs = new Map<'kernels' | 'layers', Program | null>();
  model.call = (inputs, kwargs) => {
    registerTrainingKernels();
    const steps = tf.getBackend() === TENSORFLOW ? 'kernels' : 'layers';
    if (!programs.has(steps)) programs.set(steps, compile(model, { steps, precision }));
    const program = programs.get(steps);
    const given = Array.isArray(inputs) ? inputs : [inputs];
    // A wrong number of inputs too: TensorFlow.js says what it expected.
    if (!program || kwargs?.['mask'] || given.length !== model.inputs.length) return plain(inputs, kwargs);
    return tf.tidy(() => runProgram(program, given, kwargs?.['training'] === true, steps === 'kernels'));
  };
  return model;
}
