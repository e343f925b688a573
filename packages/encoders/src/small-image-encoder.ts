import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import { defineEncoder, type EncoderOptions } from '@g2d/core';
import { z } from 'zod';
import { convBlock } from './conv-block.js';
import { assertInputShape, type ImageShape } from './encoder.js';
import { initializeWeights } from './initialize-weights.js';
import { widthOption, withWidth } from './width.js';

/**
 * A small image encoder with global average pooling, for 28 × 28 images: three convolutions, 6,072 parameters.
 *
 * `[B, H, W, C]` → `[B, 32]`. It learns slowly and generalizes well: the modality that joint training starves.
 *
 * @param options `width`: a linear layer `<name>/width` takes the features to it.
 * @throws {OptionError} If the shape has another form, or `width` is no whole number of at least 1.
 * @example
 * const image = smallImageEncoder({ name: 'image', inputShape: [28, 28, 1], seed: 0 });
 */
export const smallImageEncoder = defineEncoder({
  name: 'small-image',
  label: 'Small image',
  summary: 'for small pictures, learns slowly and generalizes: `[H, W, C]` → 32 features',
  options: z.strictObject({ width: widthOption }),
  create({ name, inputShape, seed }: EncoderOptions<ImageShape>, { width }) {
    assertInputShape('smallImageEncoder', inputShape, '[H, W, C]');
    const images = input({ shape: [...inputShape], name: `${name}/input` });
    let x = convBlock(images, { name: `${name}/conv1`, filters: 8, kernelSize: 5, stride: 2, padding: 2 });
    x = convBlock(x, { name: `${name}/conv2`, filters: 16, kernelSize: 3, stride: 2, padding: 1 });
    x = convBlock(x, { name: `${name}/conv3`, filters: 32, kernelSize: 3, stride: 1, padding: 1 });
    const features = layers.globalAveragePooling2d({ name: `${name}/pool` }).apply(x) as SymbolicTensor;
    const encoder = model({ name, inputs: images, outputs: withWidth(features, { name, width }) });
    initializeWeights(encoder, seed);
    return accelerate(encoder);
  },
});
