// The cases for which `expected.json` holds what the authors' implementation computes; see test/parity/README.md.
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesOf, methodNames, missingNames, publicNames } from '../test/parity-files.js';
import { exceeds } from './compare.js';
import { EncoderPool } from './encoder-pool.js';
import { loadCase, runCase } from './run-case.js';

const pool = new EncoderPool();
let before: tf.MemoryInfo;
beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  before = tf.memory();
});
afterAll(() => {
  pool.dispose();
  const { numTensors, numBytes } = before;
  expect(tf.memory()).toMatchObject({ numTensors, numBytes });
});

describe('our numbers agree with PyTorch', () => {
  it.each(publicNames(''))('%s', async (name) => {
    const { status, checks } = await runCase(loadCase(filesOf(name)), pool);
    expect(checks.filter(exceeds)).toEqual([]);
    expect(status).toBe('pass');
  });
});

describe('our methods agree with their official code', () => {
  it.each(methodNames(''))('%s', async (name) => {
    const { status, checks } = await runCase(loadCase(filesOf(name)), pool);
    expect(checks.filter(exceeds)).toEqual([]);
    expect(checks.length).toBeGreaterThan(100);
    expect(status).toBe('pass');
  });
});

describe('our systems for missing modalities agree with their official code', () => {
  it.each(missingNames(''))('%s', async (name) => {
    const { status, checks } = await runCase(loadCase(filesOf(name)), pool);
    expect(checks.filter(exceeds)).toEqual([]);
    expect(status).toBe('pass');
  });
});
