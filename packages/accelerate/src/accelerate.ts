import * as tf from '@tensorflow/tfjs-core';
import { compile } from './accelerate/compile.js';
import { checkKeys, OptionError } from '@g2d/core';
import { ACCELERATED, isModel } from './accelerate/layer-facts.js';
import { assertComputes } from './kernels/bfloat16-problem.js';
import { assertPrecision, type Precision } from './kernels/bfloat16.js';
import { runProgram, type Program } from './accelerate/program.js';
import { hasWasmBatchNorm } from './kernels/wasm-batch-norm.js';
import { registerTrainingKernels } from './kernels/register.js';
import { usesPlainKernels } from '@g2d/tensor-ops';
import { TENSORFLOW } from '@g2d/tensor-ops/tensorflow';
import type { LayersModel } from './layers-types.js';

/**
 * Runs an ordinary `LayersModel` on fast training kernels. The model stays what it is: same class, topology, names
 * and weights; saved, it loads in plain TensorFlow.js.
 *
 * On the `tensorflow` backend convolution (with PyTorch's symmetric padding where a ZeroPadding2D precedes it),
 * batch and layer normalization, ReLU, maximum pooling, matrix products and attention become few operations with
 * gradients of their own, and what a step no longer needs is freed at once. Layers that TimeDistributed applies to
 * frames run on all frames at a time. Every other layer, option and backend runs the layer itself. On `wasm`
 * convolutions with their gradients, matrix products and normalizations run in a module of ours. Running variances move as PyTorch's do (unbiased) on every backend, but
 * in models with masks and under TimeDistributed. A model class of your own, a layer whose `call` was replaced, and calls
 * with arguments other than `training` run as they are.
 *
 * Dropout draws its masks by a seed inside of `withDropoutSeed`.
 *
 * `model.apply(x, { training })` is fast; `fit`, `predict` and `evaluate` use an executor of their own and stay
 * correct at plain speed. Gradients of gradients are an error there, but inside of `hessianProduct` of `@g2d/tensor-ops`, where the
 * layers themselves run.
 *
 * @param model Changed in place: its `call` is replaced.
 * @param options `precision`: `'bfloat16'` rounds to 8 significant bits, in training too, an error of about 0.4 % of the largest value. On CPUs
 * with AMX that is what convolutions and large matrix products read and write; with AVX512-BF16 alone what large products read, and convolutions that are products; slower
 * or refused elsewhere (`bfloat16Problem`). On the `tensorflow` backend only. Default `'float32'`.
 * @returns The same model.
 * @throws {OptionError} For `'bfloat16'` where TensorFlow cannot compute it.
 * @example
 * const model = accelerate(await tf.loadLayersModel('file://encoder/model.json'));
 */
export function accelerate(
  model: LayersModel,
  options: { readonly precision?: Precision } = {},
): LayersModel {
  const { precision = 'float32' } = checkKeys(options, { precision: true }, 'accelerate');
  assertPrecision(precision);
  if (tf.getBackend() === TENSORFLOW) assertComputes(precision);
  // A model class of the user's own may compute something else than its graph.
  if (!isModel(model)) return model;
  const plain = model.call.bind(model);
  const programs = new Map<string, Program | null>();
  model.call = (inputs, kwargs) => {
    registerTrainingKernels();
    const steps = usesPlainKernels() ? 'layers' : stepsOfBackend();
    // A Sequential model grows and shrinks.
    const key = `${steps}/${model.outputs.map(({ id }) => id).join()}`;
    if (!programs.has(key)) {
      // The backend may have been chosen since.
      if (steps === 'kernels') assertComputes(precision);
      programs.set(key, compile(model, { steps, precision }));
    }
    const program = programs.get(key);
    const given = Array.isArray(inputs) ? inputs : [inputs];
    if (given.length !== model.inputs.length) {
      const names = model.inputs.map(({ name }) => name).join(', ');
      throw new OptionError(
        `The model "${model.name}" has ${model.inputs.length} inputs (${names}), but got ${given.length} tensors. Give one tensor for each, in this order.`,
        { option: 'inputs', value: given.length, accepted: names },
      );
    }
    // Layers of the user's own may know other arguments.
    const known = Object.entries(kwargs ?? {}).every(
      ([name, value]) => name === 'training' || value === undefined,
    );
    if (!program || !known) return plain(inputs, kwargs);
    return tf.tidy(() => runProgram(program, given, kwargs?.['training'] === true, steps === 'kernels'));
  };
  (model as { [ACCELERATED]?: true })[ACCELERATED] = true;
  return model;
}

function stepsOfBackend(): 'kernels' | 'wasm' | 'layers' {
  if (tf.getBackend() === TENSORFLOW) return 'kernels';
  return hasWasmBatchNorm() ? 'wasm' : 'layers';
}
