import { checkKeys } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { compile } from './accelerate/compile.js';
import { isModel } from './accelerate/layer-facts.js';
import { runProgram } from './accelerate/program.js';
import { assertComputes } from './kernels/bfloat16-problem.js';
import { assertPrecision, type Precision } from './kernels/bfloat16.js';
import { registerTrainingKernels } from './kernels/register.js';
import { TENSORFLOW } from '@g2d/tensor-ops/tensorflow';
import type { LayersModel, Tensor } from './layers-types.js';

/** A model whose weights no longer change; after a change make a new one. */
export interface FrozenModel {
  /** The model's outputs in inference mode, in its order; dispose them. Not for passes that are differentiated. */
  predict(inputs: readonly Tensor[]): Tensor[];
  /** Frees the folded weights. The model stays. */
  dispose(): void;
}

/**
 * A model whose weights no longer change, for inference: on the `tensorflow` backend with batch normalization folded into
 * the convolution before it, on others as it is. For teachers, which run in every step of their student.
 *
 * It is no copy: convolutions have the weights of the moment, other layers those of the model. After the weights have
 * changed, results are neither the old nor the new model's; make another one.
 *
 * @param model Left alone.
 * @param options `precision`: `'bfloat16'` for convolutions and products of 8 significant bits, as of `accelerate` (relative error about 1e-2 of
 * the features), faster on CPUs with units for it; without effect on other backends than `tensorflow`. Default `'float32'`.
 * @throws {OptionError} For `'bfloat16'` where TensorFlow cannot compute it, see `bfloat16Problem`.
 * @example
 * const teacher = freeze(model);
 * const [features] = teacher.predict([images]);
 */
export function freeze(model: LayersModel, options: { readonly precision?: Precision } = {}): FrozenModel {
  const { precision = 'float32' } = checkKeys(options, { precision: true }, 'freeze');
  assertPrecision(precision);
  registerTrainingKernels();
  const backend = tf.getBackend();
  const isFast = backend === TENSORFLOW;
  if (isFast) assertComputes(precision);
  // A model class of the user's own may compute something else than its graph.
  const program =
    isFast || isModel(model) ? compile(model, { steps: isFast ? 'frozen' : 'layers', precision }) : null;
  return {
    predict: (inputs) =>
      tf.tidy(() => {
        if (program && tf.getBackend() === backend) return runProgram(program, inputs, false, isFast);
        const outputs = model.apply([...inputs], { training: false });
        return (Array.isArray(outputs) ? outputs : [outputs]) as Tensor[];
      }),
    dispose: () => tf.dispose([...(program?.constants ?? [])]),
  };
}
