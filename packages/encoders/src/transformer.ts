import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import { defineEncoder, OptionError, type EncoderOptions } from '@g2d/core';
import { z } from 'zod';
import { assertInputShape } from './encoder.js';
import { initializeWeights } from './initialize-weights.js';
import { transformerLayer } from './transformer-layer.js';

/** Shape of a sequence: `[T, D]`, where T may be `null`: as long as a batch's longest. */
export type SequenceShape = readonly [time: number | null, width: number];

/** Longer than any sequence: with this stride, pooling over one step yields the first step alone. */
const BEYOND_THE_END = 2 ** 20;

/**
 * The Transformer of UR-FUNNY and IEMOCAP: a linear map of every step to `width`, Transformer layers, and of their output
 * the **first step**. There is no positional encoding, and no normalization after the last layer.
 *
 * `[B, T, D]` → `[B, 768]`; with `paddingMask` `[[B, T, D], [B, T]]` → `[B, 768]`. 22,286,336 parameters with D = 300.
 *
 * The paper says 4 layers with 8 heads; the code that it cites passes the two numbers in the other order, which makes
 * 8 layers with 4 heads: `{ layers: 8, heads: 4 }`. Layers are named after PyTorch's `nn.TransformerEncoder`
 * (`<name>/layers/0/self_attn/out_proj`).
 *
 * @param options `inputShape`: `[T, D]`; T may be `null`.
 * @throws {OptionError} If the shape has another form, or `heads` does not divide `width`, or a number is out of range.
 * @example
 * const text = transformer({ name: 'text', inputShape: [20, 300], seed: 0 });
 * @see G2D, App. A.4.1; Li et al., "Boosting Multi-modal Model Performance with Adaptive Gradient Modulation", ICCV 2023
 */
export const transformer = defineEncoder({
  name: 'transformer',
  label: 'Transformer',
  summary: 'for sequences, of which it takes the first step: `[T, D]` → 768 features (`width`)',
  source: {
    paper: 'Li et al., Boosting Multi-modal Model Performance with Adaptive Gradient Modulation, ICCV 2023',
    code: 'PyTorch, nn.TransformerEncoder',
  },
  options: z.strictObject({
    layers: z.int().min(1).default(4).describe('how many layers; the code that the paper cites has 8'),
    heads: z
      .int()
      .min(1)
      .default(8)
      .describe('of the attention, a divisor of `width`; the code that the paper cites has 4'),
    width: z.int().min(1).default(768).describe('of the features'),
    feedForward: z.int().min(1).default(2048).describe('hidden units of the feed-forward part'),
    dropout: z
      .number()
      .min(0)
      .lt(1)
      .default(0.1)
      .describe('share of values that training sets to 0, in four places of every layer'),
    paddingMask: z
      .boolean()
      .default(false)
      .describe(
        'a second input `[B, T]`, 1 for a real step and 0 for padding, which nobody then attends to; every sample needs a real step. Without it padding takes part, as in the reference',
      ),
  }),
  create(
    { name, inputShape, seed }: EncoderOptions<SequenceShape>,
    { layers: depth, heads, width, feedForward, dropout, paddingMask },
  ) {
    assertInputShape('transformer', inputShape, '[T, D]');
    if (width % heads !== 0) {
      throw new OptionError(
        `\`heads\` is ${heads} and \`width\` is ${width}: every head gets an equal share of the width. Choose a number of heads that divides ${width}.`,
        { option: 'heads', value: heads, accepted: `a divisor of ${width}` },
      );
    }
    const [time] = inputShape;
    const sequences = input({ shape: [...inputShape], name: `${name}/input` });
    const real = paddingMask ? input({ shape: [time], name: `${name}/mask` }) : undefined;
    const mask = real && additiveMask(real, name);

    let x = layers
      .conv1d({ name: `${name}/conv`, filters: width, kernelSize: 1, useBias: false })
      .apply(sequences) as SymbolicTensor;
    for (let i = 0; i < depth; i++) {
      x = transformerLayer(x, { name: `${name}/layers/${i}`, heads, feedForward, dropout, mask });
    }
    const encoder = model({
      name,
      inputs: real ? [sequences, real] : sequences,
      outputs: firstStep(x, name),
    });
    initializeWeights(encoder, seed);
    return accelerate(encoder);
  },
});

/** `[B, T]`, 1 or 0 → `[B, 1, T]`, 0 or −10⁹: in float32 the exponential of a masked score is exactly 0. */
function additiveMask(real: SymbolicTensor, name: string): SymbolicTensor {
  const scores = layers.rescaling({ name: `${name}/mask/scores`, scale: 1e9, offset: -1e9 }).apply(real);
  return layers
    .reshape({ name: `${name}/mask/rows`, targetShape: [1, real.shape[1] ?? -1] })
    .apply(scores) as SymbolicTensor;
}

/** `[B, T, D]` → `[B, D]`, the first of T. */
function firstStep(x: SymbolicTensor, name: string): SymbolicTensor {
  const [, time, width] = x.shape as [null, number | null, number];
  // Cropping counts from both ends, so an unknown length needs another layer.
  const first =
    time === null
      ? layers
          .maxPooling1d({ name: `${name}/first`, poolSize: 1, strides: BEYOND_THE_END, padding: 'valid' })
          .apply(x)
      : layers
          .cropping2D({
            name: `${name}/first`,
            cropping: [
              [0, time - 1],
              [0, 0],
            ],
          })
          .apply(layers.reshape({ name: `${name}/steps`, targetShape: [time, 1, width] }).apply(x));
  const flat =
    time === null
      ? layers.reshape({ name: `${name}/features`, targetShape: [width] })
      : layers.flatten({ name: `${name}/features` });
  return flat.apply(first) as SymbolicTensor;
}
