import * as tf from '@tensorflow/tfjs';
import { smallImageEncoder } from '@g2d/encoders';
import { beforeAll, describe, expect, it } from 'vitest';
import { measureEpochs } from './measure-epochs.js';
import type { StepSetup } from './step-setup.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const modality = {
  shape: [8, 8, 1],
  encoder: (options: { name: string; seed: number }) =>
    smallImageEncoder({ inputShape: [8, 8, 1], ...options }),
};
const joint: StepSetup = {
  dataset: {
    title: 'Tiny',
    task: 'classification',
    classes: 3,
    modalities: { loud: modality, quiet: modality },
    costliest: 'loud',
    scope: 'conv',
  },
  batch: 4,
  method: 'joint',
  phase: 'joint',
  teachers: 'none',
  precision: 'float32',
  steps: 2,
  warmup: 1,
};

describe('measureEpochs', () => {
  it.each<[string, Partial<StepSetup>]>([
    ['joint training', {}],
    ['G2D on cached teachers', { method: 'g2d', phase: 'prioritized', teachers: 'cached', scope: 'conv' }],
  ])('times epochs of %s and leaves no tensor behind', async (_, changes) => {
    const before = tf.memory().numTensors;
    // Two batches, and two samples that are left out.
    const { ms } = await measureEpochs({ ...joint, ...changes }, 10);
    expect(ms.min).toBeGreaterThan(0);
    expect(ms.median).toBeGreaterThanOrEqual(ms.min);
    expect(tf.memory().numTensors).toBe(before);
  });
});
