// A training that is stopped after any step and goes on in a fresh model ends as if it had not been: every method, bit for bit.
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { interrupted, recipes, stepsOf, toyTeachers, trained } from '../test/resume.js';

describe('a resumed training on the cpu backend', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it.each(Object.entries(recipes))('ends as one that was never stopped: %s', async (_, recipe) => {
    const teachers = toyTeachers(recipe);
    const whole = await trained(recipe, { teachers });
    for (let after = 1; after <= stepsOf(recipe); after++) {
      expect(await interrupted(recipe, { teachers, after }), `stopped after step ${after}`).toEqual(whole);
    }
    teachers.dispose();
  });
});

describe('a resumed training on the tensorflow backend', () => {
  beforeAll(async () => {
    await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  });

  it.each([
    'ogm-ge',
    'mla, projection',
    'mses, official',
    'dlmg, learnable',
    'cpm-net',
    'tate',
    'mis-me',
    'g2d',
  ])('ends as one that was never stopped: %s', async (name) => {
    const recipe = recipes[name]!;
    const teachers = toyTeachers(recipe);
    const whole = await trained(recipe, { teachers });
    for (const after of [1, 3, 5, 6, 8, 9].filter((step) => step <= stepsOf(recipe))) {
      expect(await interrupted(recipe, { teachers, after }), `stopped after step ${after}`).toEqual(whole);
    }
    teachers.dispose();
  });
});
