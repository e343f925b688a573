import { input, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { accelerate } from '@g2d/accelerate';
import { defineEncoder, type EncoderOptions } from '@g2d/core';
import { z } from 'zod';
import { denseBlock } from './dense-block.js';
import { assertInputShape } from './encoder.js';
import { initializeWeights } from './initialize-weights.js';

/** Units of each block, and the share of values that training sets to 0 after it. */
const BLOCKS = [
  [256, 0.3],
  [128, 0.2],
  [64, 0.1],
  [32, 0],
  [16, 0],
] as const;

/**
 * The table encoder of MIS-ME, for rows of weather measurements: five blocks of dense layer, batch normalization and ReLU,
 * dropout after the first three; 47,056 parameters with eight columns.
 *
 * `[B, D]` → `[B, 16]`. Layers are numbered as in the released code's sequence (`<name>/0` dense, `<name>/1` normalization,
 * `<name>/3` dropout, `<name>/4` dense and so on).
 *
 * @param options `inputShape`: `[D]`.
 * @throws {OptionError} If the shape has another form.
 * @example
 * const weather = tabularMlp({ name: 'weather', inputShape: [8], seed: 0 });
 * @see G2D, Sec. 4.1 (MIS-ME); released code of MIS-ME (OSU-Complex-Systems/MIS-ME), `model.py`,
 * `meteorological_feature_extractor`
 */
export const tabularMlp = defineEncoder({
  name: 'tabular-mlp',
  label: 'Tabular MLP',
  summary: 'for rows of measurements: `[D]` → 16 features',
  source: {
    paper: 'Rakib et al., MIS-ME, 2024',
    code: 'OSU-Complex-Systems/MIS-ME, model.py, meteorological_feature_extractor',
  },
  options: z.strictObject({}),
  create({ name, inputShape, seed }: EncoderOptions<readonly [columns: number]>) {
    assertInputShape('tabularMlp', inputShape, '[D]');
    const rows = input({ shape: [...inputShape], name: `${name}/input` });
    let index = 0;
    const path = (): string => `${name}/${index++}`;

    let x: SymbolicTensor = rows;
    for (const [units, dropout] of BLOCKS) x = denseBlock(x, path, { units, normalized: true, dropout });

    const encoder = model({ name, inputs: rows, outputs: x });
    initializeWeights(encoder, seed);
    return accelerate(encoder);
  },
});
