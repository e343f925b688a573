import * as tf from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { OptionError, type RandomStream, ownValue } from '@g2d/core';
import { deriveSeed, kaimingNormal, randomStream, xavierNormal } from '@g2d/tensor-ops';

/** Weights that the layers' own names identify, whatever they began with. */
const CONSTANTS: Readonly<Record<string, number>> = {
  bias: 0,
  beta: 0,
  moving_mean: 0,
  gamma: 1,
  moving_variance: 1,
};

const KERNELS: Readonly<Record<string, typeof kaimingNormal>> = {
  'Conv1D kernel': kaimingNormal,
  'Conv2D kernel': kaimingNormal,
  'Conv3D kernel': kaimingNormal,
  'DepthwiseConv2D depthwise_kernel': depthwiseKaimingNormal,
  'Dense kernel': xavierNormal,
};

const ACCEPTED = `${Object.keys(KERNELS)
  .map((kernel) => kernel.split(' ')[0])
  .join(', ')}, normalization layers`;

/**
 * Kaiming normal values of a depthwise kernel `[H, W, C, M]`. PyTorch holds it as `[C·M, 1, H, W]` and counts every
 * channel for the fan-out, H·W·C·M, although a value reaches only H·W·M outputs; torchvision's MobileNetV2 begins so.
 */
function depthwiseKaimingNormal(shape: readonly number[], random: RandomStream): Float32Array {
  const [height, width, channels, multiplier] = shape as [number, number, number, number];
  return kaimingNormal([height, width, 1, channels * multiplier], random);
}

/**
 * What a layer begins with whose weights {@link initializeWeights} sets: to draw them twice takes seconds for a large network.
 */
export const SET_LATER = { kernelInitializer: 'zeros' } as const;

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
  for (const layer of model.layers) initializeLayer(layer, seed);
}

/** Gives one layer the paper's initial weights; see `initializeWeights`. */
export function initializeLayer(layer: layers.Layer, seed: number): void {
  // A layer applied to frames starts as it would for single images: rule and stream are those of the layer inside.
  const inner =
    layer.getClassName() === 'TimeDistributed'
      ? (layer as unknown as { readonly layer: layers.Layer }).layer
      : layer;
  const kind = inner.getClassName();
  tf.tidy(() => {
    for (const weight of layer.weights) {
      // `originalName`: a second model with the same layer names gets variables called `…/kernel_1`.
      const role = weight.originalName.split('/').at(-1) as string;
      const name = inner === layer ? weight.originalName : `${inner.name}/${role}`;
      const shape = weight.shape as number[];
      const constant = ownValue(CONSTANTS, role);
      if (constant !== undefined) {
        weight.write(tf.fill(shape, constant));
        continue;
      }
      const values = KERNELS[`${kind} ${role}`];
      if (!values) {
        throw new OptionError(
          `There is no rule for "${weight.originalName}" of a ${kind} layer: the paper initializes ${ACCEPTED}. Leave this model to its own initializers, with seeds.`,
          { option: 'model', value: kind, accepted: ACCEPTED },
        );
      }
      weight.write(tf.tensor(values(shape, randomStream(deriveSeed(seed, `initialization/${name}`))), shape));
    }
  });
}
