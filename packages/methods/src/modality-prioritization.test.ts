import * as tf from '@tensorflow/tfjs';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Training } from '@g2d/trainer';
import { modalityPrioritization } from './modality-prioritization.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('modalityPrioritization', () => {
  it('takes its own options from a record that all stacked methods share', () => {
    const encoder = tf.sequential({
      layers: [tf.layers.dense({ name: 'a/dense', units: 2, inputShape: [3] })],
    });
    const fusion = lateFusion({ widths: { a: 2 }, classes: 2, seed: 0 });
    const model = new MultimodalModel({ encoders: { a: encoder }, fusion });
    const options = { alpha: 1, beta: 0.5, temperature: 2, scope: 'encoder', phaseEpochs: [1] } as const;
    const start = (given: { readonly phaseEpochs: readonly number[] }) =>
      modalityPrioritization<'a'>({ scope: 'encoder', ...given }).onTrainStart?.({
        model,
        task: 'classification',
      } as Training<'a'>);
    start(options);
    // They are checked all the same.
    expect(() => start({ ...options, phaseEpochs: [1, 2] })).toThrow(/`phaseEpochs` has 2 entries/);
  });
});
