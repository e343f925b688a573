import * as tf from '@tensorflow/tfjs';
import type { Training } from '@g2d/core';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { beforeAll, describe, expect, it } from 'vitest';
import { modalityPrioritization } from './modality-prioritization.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Starts a training of a model with one modality. */
const start = async (
  options: Parameters<typeof modalityPrioritization>[0],
  task: Training<'a'>['task'] = 'classification',
  targets: readonly number[] = [],
) => {
  const encoder = tf.sequential({
    layers: [tf.layers.dense({ name: 'a/dense', units: 2, inputShape: [3] })],
  });
  const fusion = lateFusion({ widths: { a: 2 }, classes: 2, seed: 0 });
  const everySample = async function* () {
    yield { inputs: {}, labels: tf.tensor1d([...targets]), ids: targets.map(String) };
  };
  const training = { model: new MultimodalModel({ encoders: { a: encoder }, fusion }), task, everySample };
  return modalityPrioritization<'a'>(options).init!(training as never);
};

describe('modalityPrioritization', () => {
  it('checks what depends on the model as the training begins', async () => {
    const options = { scope: 'encoder', phaseEpochs: [1] } as const;
    expect(await start(options)).toMatchObject({ dataset: null, variance: null, smp: { epoch: 0 } });
    await expect(start({ ...options, phaseEpochs: [1, 2] })).rejects.toThrow(/`phaseEpochs` is \[1,2\]/);
    const needs = (scope: 'conv' | 'encoder+head') =>
      modalityPrioritization({ phaseEpochs: [1], scope }).needs;
    expect(needs('conv')).toEqual({ teachers: 'unimodal', parameters: ['conv'] });
    expect(needs('encoder+head')?.parameters).toEqual(['head']);
    expect(() => modalityPrioritization({ phaseEpochs: [1], reference: 'released' as never })).toThrow(
      /`reference` is "released"; it must be "paper", "official"/,
    );
  });

  it('takes the variance of a regression from the training split, unless it is given', async () => {
    const options = { scope: 'encoder', phaseEpochs: [1] } as const;
    const found = (state: unknown) => (state as { variance: number | null }).variance;
    expect(found(await start(options, 'regression', [0, 0.5, 1, 0.5]))).toBeCloseTo(0.125, 7);
    expect(found(await start({ ...options, targetVariance: 0.3 }, 'regression'))).toBe(0.3);
    // An order that is given needs none.
    expect(found(await start({ ...options, ranking: { fixed: ['a'] } }, 'regression'))).toBe(null);
  });
});
