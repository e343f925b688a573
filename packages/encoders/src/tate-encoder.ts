import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import { defineEncoder, OptionError, type EncoderOptions } from '@g2d/core';
import { z } from 'zod';
import { assertInputShape } from './encoder.js';
import { initializeWeights } from './initialize-weights.js';
import { zeroMaskedBlock } from './zero-masked-block.js';

/**
 * The encoder of TATE, for sequences of one length: a linear map of every step to `width` without a bias, and a block of attention in which steps of zeros, padding or
 * a missing modality, take no part. The features are all steps one after another.
 *
 * `[B, T, D]` → `[B, T · 300]`; a row `[B, D]` is a sequence of one step. The fusion of the method `tate` takes features of this form, of the same `width`.
 *
 * @param options `inputShape`: `[T, D]` or `[D]`.
 * @throws {OptionError} If the shape has another form or no fixed length, or `heads` does not divide `width`.
 * @example
 * const text = tateEncoder({ name: 'text', inputShape: [25, 768], seed: 0 });
 * @see Zeng et al., Tag-assisted Multimodal Sentiment Analysis under Uncertain Missing Modalities (SIGIR 2022); released code, `network.py`
 */
export const tateEncoder = defineEncoder({
  name: 'tate',
  label: 'TATE encoder',
  summary: 'for sequences of one length, all steps of which are features: `[T, D]` → T · 300',
  source: { paper: 'Zeng et al., SIGIR 2022', code: 'JaydenZeng/TATE e450189, network.py' },
  options: z.strictObject({
    width: z.int().min(1).default(300).describe('of a step of the features; as that of the fusion'),
    heads: z.int().min(1).default(4).describe('of the attention, a divisor of `width`'),
    dropout: z
      .number()
      .min(0)
      .lt(1)
      .default(0.2)
      .describe("share of the attention's weights that training sets to 0"),
  }),
  create({ name, inputShape, seed }: EncoderOptions<readonly (number | null)[]>, { width, heads, dropout }) {
    assertInputShape('tateEncoder', inputShape, '[T, D]', '[D]');
    if (inputShape.includes(null))
      throw new OptionError(
        `The sequences of ${name} are of free length, and TATE has features of every step. Cut or pad them to one length.`,
        { option: 'inputShape', value: inputShape, accepted: '[T, D] with a fixed T' },
      );
    if (width % heads !== 0)
      throw new OptionError(
        `\`heads\` is ${heads} and \`width\` is ${width}: every head gets an equal share of the width. Choose a number of heads that divides ${width}.`,
        { option: 'heads', value: heads, accepted: `a divisor of ${width}` },
      );
    const given = input({ shape: [...inputShape], name: `${name}/input` });
    const steps =
      inputShape.length === 2
        ? given
        : layers.reshape({ name: `${name}/step`, targetShape: [1, inputShape[0] as number] }).apply(given);
    const projected = layers.dense({ name: `${name}/project`, units: width, useBias: false }).apply(steps);
    const encoded = zeroMaskedBlock(projected as SymbolicTensor, { name, heads, dropout });
    const features = layers.flatten({ name: `${name}/features` }).apply(encoded) as SymbolicTensor;
    const encoder = model({ name, inputs: given, outputs: features });
    initializeWeights(encoder, seed);
    return accelerate(encoder);
  },
});
