import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import { defineEncoder, OptionError, type EncoderOptions } from '@g2d/core';
import { z } from 'zod';
import { assertInputShape } from './encoder.js';
import { initializeWeights } from './initialize-weights.js';
import { maskColumn, maxOverTime } from './max-over-time.js';
import { fullWindows, paddedSteps } from './steps.js';
import type { SequenceShape } from './transformer.js';

/**
 * Convolutions over a few steps at a time, and of each the maximum over time: MMIN's encoder of text.
 *
 * `[B, T, D]` → `[B, features]`; with `paddingMask` `[[B, T, D], [B, T]]` → `[B, features]`.
 *
 * f = relu(W dropout([max_t relu(conv_h x)]_h) + b),  h in `heights`. The convolutions are `<name>/conv1` and so on, W and b `<name>/embedding`.
 *
 * @param options `inputShape`: `[T, D]`; T may be `null`.
 * @throws {OptionError} If the shape has another form, or T is less than a height and there is no `paddingMask`.
 * @example
 * const text = textCnn({ name: 'text', inputShape: [22, 1024], seed: 0, dropout: 0.5 });
 * @see Kim, Convolutional Neural Networks for Sentence Classification (EMNLP 2014); released code of MMIN, `models/networks/textcnn.py`
 */
export const textCnn = defineEncoder({
  name: 'text-cnn',
  label: 'Text CNN',
  summary: 'for sequences, maxima over time of convolutions: `[T, D]` → 128 features (`features`)',
  source: { paper: 'Kim, EMNLP 2014', code: 'MMIN 69a45fe, models/networks/textcnn.py' },
  options: z.strictObject({
    channels: z.int().min(1).default(128).describe('of each convolution'),
    heights: z
      .array(z.int().min(1))
      .min(1)
      .default([3, 4, 5])
      .describe('how many steps each convolution sees at a time'),
    features: z.int().min(1).default(128).describe('width of the features'),
    dropout: z.number().min(0).lt(1).default(0.5).describe('share of the maxima that training sets to 0'),
    paddingMask: z
      .boolean()
      .default(false)
      .describe(
        'a second input `[B, T]`, 1 for a real step and 0 for padding: windows that reach into padding have no part in a maximum, but the first one, which shorter samples need. Without it padding takes part, as in the released code',
      ),
  }),
  create(
    { name, inputShape, seed }: EncoderOptions<SequenceShape>,
    { channels, heights, features, dropout, paddingMask },
  ) {
    assertInputShape('textCnn', inputShape, '[T, D]');
    const [time] = inputShape;
    const tallest = Math.max(...heights);
    if (!paddingMask && time !== null && time < tallest)
      throw new OptionError(
        `A convolution of textCnn sees ${tallest} steps at a time, but a sample of ${name} has ${time}. Choose smaller \`heights\`, or give longer samples.`,
        { option: 'heights', value: heights, accepted: `at most ${time}` },
      );
    const sequences = input({ shape: [...inputShape], name: `${name}/input` });
    const real = paddingMask ? input({ shape: [time], name: `${name}/mask` }) : undefined;
    const column = real && maskColumn(real, `${name}/mask`);
    const maxima = heights.map((height, i) => {
      const path = `${name}/conv${i + 1}`;
      // A window for each step, so that short samples have some.
      const steps = real ? paddedSteps(sequences, `${path}/pad`, [0, height - 1]) : sequences;
      const seen = layers
        .conv1d({ name: path, filters: channels, kernelSize: height })
        .apply(steps) as SymbolicTensor;
      const active = layers
        .activation({ name: `${path}/relu`, activation: 'relu' })
        .apply(seen) as SymbolicTensor;
      return maxOverTime(active, `${path}/max`, column && fullWindows(column, path, height));
    });
    const joined = (
      maxima.length > 1 ? layers.concatenate({ name: `${name}/concat` }).apply(maxima) : maxima[0]
    ) as SymbolicTensor;
    const dropped =
      dropout > 0 ? layers.dropout({ name: `${name}/dropout`, rate: dropout }).apply(joined) : joined;
    const embedded = layers.dense({ name: `${name}/embedding`, units: features }).apply(dropped);
    const encoder = model({
      name,
      inputs: real ? [sequences, real] : sequences,
      outputs: layers
        .activation({ name: `${name}/embedding/relu`, activation: 'relu' })
        .apply(embedded) as SymbolicTensor,
    });
    initializeWeights(encoder, seed);
    return accelerate(encoder);
  },
});
