import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import { defineEncoder, type EncoderOptions } from '@g2d/core';
import { z } from 'zod';
import { denseBlock } from './dense-block.js';
import { assertInputShape } from './encoder.js';
import { initializeWeights } from './initialize-weights.js';

/**
 * A multilayer perceptron for rows of numbers: hidden layers of dense layer, ReLU and dropout each, then a dense layer without
 * activation.
 *
 * `[B, D]` → `[B, features]`. Layers are numbered as in PyTorch's `Sequential`: `<name>/0` dense, `<name>/1` ReLU, `<name>/2` dropout where there
 * is one, and so on. With `hidden` `[128, 128]` and `dropout` 0.5 it is the encoder of CRA and MMIN in GCNet's code.
 *
 * @param options `inputShape`: `[D]`.
 * @throws {OptionError} If the shape has another form, or a number is out of range.
 * @example
 * const shape = mlp({ name: 'shape', inputShape: [76], seed: 0, hidden: [64], features: 32 });
 * @see G2D, App. A.7 (CRA, MMIN); zeroQiaoba/GCNet, `baseline-mmin/models/networks/classifier.py`, `FcClassifier`
 */
export const mlp = defineEncoder({
  name: 'mlp',
  label: 'MLP',
  summary: 'for rows of numbers: `[D]` → 128 features (`features`)',
  source: { code: 'zeroQiaoba/GCNet, baseline-mmin/models/networks/classifier.py, FcClassifier' },
  options: z.strictObject({
    hidden: z
      .array(z.int().min(1))
      .default([128, 128])
      .describe('units of each hidden layer, which a ReLU follows; none: one linear map'),
    features: z.int().min(1).default(128).describe('width of the features, which no ReLU follows'),
    dropout: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe('share of values that training sets to 0 after each hidden layer'),
  }),
  create(
    { name, inputShape, seed }: EncoderOptions<readonly [columns: number]>,
    { hidden, features, dropout },
  ) {
    assertInputShape('mlp', inputShape, '[D]');
    const rows = input({ shape: [...inputShape], name: `${name}/input` });
    let index = 0;
    const path = (): string => `${name}/${index++}`;

    let x: SymbolicTensor = rows;
    for (const units of hidden) x = denseBlock(x, path, { units, normalized: false, dropout });
    x = layers.dense({ name: path(), units: features }).apply(x) as SymbolicTensor;

    const encoder = model({ name, inputs: rows, outputs: x });
    initializeWeights(encoder, seed);
    return accelerate(encoder);
  },
});
