import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { tinySetup } from '../test/tiny-setup.js';
import { measureEpochs } from './measure-epochs.js';
import type { StepSetup } from './step-setup.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const joint: StepSetup = { ...tinySetup, steps: 2 };

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
