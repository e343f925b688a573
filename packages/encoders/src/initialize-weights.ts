import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { deriveSeed, kaimingNormal, randomStream, xavierNormal } from '@g2d/tensor-ops';

/**
 * Gives a model the paper's initial weights: convolution kernels Kaiming normal (fan-out, ReLU), dense kernels
 * Xavier normal, both untruncated; biases, shifts and running means 0; scales and running variances 1.
 *
 * Every variable has a random stream of its own, named after it: adding a layer does not change the others. An
 * encoder starts alike wherever the seed is the same, so give teachers another seed than their student.
 *
 * @param model Changed in place.
 * @param seed The run's seed, an integer.
 * @see G2D, App. A.4.1
 */
export function initializeWeights(model: LayersModel, seed: number): void {
  tf.tidy(() => {
    for (const layer of model.layers) {
      for (const weight of layer.weights) {
        // `originalName`: a second model with the same layer names gets variables called `…/kernel_1`.
        const role = weight.originalName.split('/').at(-1);
        if (role !== 'kernel') continue; // The layers' own defaults are the zeros and ones above.
        const shape = weight.shape as number[];
        const random = randomStream(deriveSeed(seed, `initialization/${weight.originalName}`));
        weight.write(tf.tensor((shape.length === 4 ? kaimingNormal : xavierNormal)(shape, random), shape));
      }
    }
  });
}
