import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { deriveSeed, kaimingNormal, OptionError, randomStream, xavierNormal } from '@g2d/tensor-ops';

/** Weights that the layers' own names identify, whatever they began with. */
const CONSTANTS: Readonly<Record<string, number>> = {
  bias: 0,
  beta: 0,
  moving_mean: 0,
  gamma: 1,
  moving_variance: 1,
};

const KERNELS: Readonly<Record<string, typeof kaimingNormal>> = {
  Conv1D: kaimingNormal,
  Conv2D: kaimingNormal,
  Conv3D: kaimingNormal,
  Dense: xavierNormal,
};

/**
 * Gives a model the paper's initial weights: convolution kernels Kaiming normal (fan-out, ReLU), dense kernels
 * Xavier normal, both untruncated; biases, shifts and running means 0; scales and running variances 1.
 *
 * Every variable has a random stream of its own, named after it: adding a layer does not change the others. An
 * encoder starts alike wherever the seed is the same, so give teachers another seed than their student.
 *
 * @param model Changed in place.
 * @param seed The run's seed, an integer.
 * @throws {OptionError} If a layer has weights of another kind, for which the paper gives no rule.
 * @see G2D, App. A.4.1
 */
export function initializeWeights(model: LayersModel, seed: number): void {
  tf.tidy(() => {
    for (const layer of model.layers) {
      for (const weight of layer.weights) {
        // `originalName`: a second model with the same layer names gets variables called `…/kernel_1`.
        const role = weight.originalName.split('/').at(-1) as string;
        const shape = weight.shape as number[];
        const constant = CONSTANTS[role];
        if (constant !== undefined) {
          weight.write(tf.fill(shape, constant));
          continue;
        }
        const kind = layer.getClassName();
        const values = role === 'kernel' ? KERNELS[kind] : undefined;
        if (!values) {
          throw new OptionError(
            `There is no rule for "${weight.originalName}" of a ${kind} layer: the paper initializes ${Object.keys(KERNELS).join(', ')} and normalization layers. Leave this model to its own initializers, with seeds.`,
            {
              option: 'model',
              value: kind,
              accepted: `${Object.keys(KERNELS).join(', ')}, normalization layers`,
            },
          );
        }
        const random = randomStream(deriveSeed(seed, `initialization/${weight.originalName}`));
        weight.write(tf.tensor(values(shape, random), shape));
      }
    }
  });
}
