import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { defineEncoder, type EncoderOptions } from '@g2d/core';
import { z } from 'zod';
import { assertInputShape } from './encoder.js';

/**
 * The input itself, flattened, for methods that work on features as they are, such as CPM-Net. It has no weights.
 *
 * `[B, …]` → `[B, D]`, D the product of the axes.
 *
 * @param options `inputShape`: any of fixed length.
 * @throws {OptionError} If an axis is free.
 * @example
 * const shape = flat({ name: 'shape', inputShape: [76], seed: 0 });
 */
export const flat = defineEncoder({
  name: 'flat',
  label: 'Flat',
  summary: 'the input itself, flattened: no weights',
  options: z.strictObject({}),
  create({ name, inputShape }: EncoderOptions<readonly (number | null)[]>) {
    assertInputShape('flat', inputShape, '[D]', '[A, B]', '[A, B, C]', '[A, B, C, D]');
    const given = input({ shape: [...inputShape], name: `${name}/input` });
    const size = (inputShape as readonly number[]).reduce((product, axis) => product * axis, 1);
    const row = layers.reshape({ name: `${name}/flat`, targetShape: [size] });
    const outputs = row.apply(given) as SymbolicTensor;
    return model({ name, inputs: given, outputs });
  },
});
