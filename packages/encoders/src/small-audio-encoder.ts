import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import { defineEncoder, type EncoderOptions } from '@g2d/core';
import { z } from 'zod';
import { convBlock } from './conv-block.js';
import { assertInputShape, type ImageShape } from './encoder.js';
import { initializeWeights } from './initialize-weights.js';
import { widthOption, withWidth } from './width.js';

/**
 * A small spectrogram encoder: four convolutions, the last as large as what is left of the input; 106,552 parameters
 * for 56 × 56.
 *
 * `[B, H, W, C]` → `[B, 64]`. The full-size last convolution, in place of pooling, lets it memorize a small
 * training set within a few epochs: the modality that wins joint training.
 *
 * @param options `width`: a linear layer `<name>/width` takes the features to it.
 * @throws {OptionError} If the shape has another form, or `width` is no whole number of at least 1.
 * @example
 * const audio = smallAudioEncoder({ name: 'audio', inputShape: [56, 56, 1], seed: 0 });
 */
export const smallAudioEncoder = defineEncoder({
  name: 'small-audio',
  label: 'Small audio',
  summary: 'for small spectrograms, learns fast and memorizes: `[H, W, C]` → 64 features',
  options: z.strictObject({ width: widthOption }),
  create({ name, inputShape, seed }: EncoderOptions<ImageShape>, { width }) {
    assertInputShape('smallAudioEncoder', inputShape, '[H, W, C]');
    const spectrograms = input({ shape: [...inputShape], name: `${name}/input` });
    let x = convBlock(spectrograms, {
      name: `${name}/conv1`,
      filters: 8,
      kernelSize: 5,
      stride: 2,
      padding: 2,
    });
    x = convBlock(x, { name: `${name}/conv2`, filters: 16, kernelSize: 3, stride: 2, padding: 1 });
    x = convBlock(x, { name: `${name}/conv3`, filters: 32, kernelSize: 3, stride: 2, padding: 1 });
    const [, rows, columns] = x.shape as [null, number, number, number];
    x = convBlock(x, {
      name: `${name}/conv4`,
      filters: 64,
      kernelSize: [rows, columns],
      stride: 1,
      padding: 0,
    });
    const features = layers.flatten({ name: `${name}/flatten` }).apply(x) as SymbolicTensor;
    const encoder = model({ name, inputs: spectrograms, outputs: withWidth(features, { name, width }) });
    initializeWeights(encoder, seed);
    return accelerate(encoder);
  },
});
