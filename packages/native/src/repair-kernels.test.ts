import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTensorFlow } from './load-tensorflow.js';
import { roundIsBroken } from './repair-kernels.js';

describe('roundIsBroken', () => {
  it('is true after TensorFlow 2.16', () => {
    expect(['2.9.1', '2.16.2', '2.17.0', '2.21.0', '3.0.0'].map(roundIsBroken)).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });
});

describe('repairRound', () => {
  it('rounds as every other backend: int32 stays, halves go to the even number', async () => {
    const tf = await loadTensorFlow({ backend: 'tensorflow', quiet: true });
    const integers = tf.tensor1d([-3, 0, 7], 'int32');
    const rounded = tf.round(integers);
    expect(rounded.dtype).toBe('int32');
    expect([...rounded.dataSync()]).toEqual([-3, 0, 7]);
    // The copy lives on when the original goes.
    integers.dispose();
    expect([...rounded.dataSync()]).toEqual([-3, 0, 7]);
    expect([...tf.round(tf.tensor1d([-1.5, 0.5, 1.2])).dataSync()].map(Number)).toEqual([-2, 0, 1]);
  });
});

describe('repairConcat', () => {
  it('makes a vector of scalars, and leaves all else to TensorFlow', async () => {
    const tf = await loadTensorFlow({ backend: 'tensorflow', quiet: true });
    const scalars = [1, 2, 3].map((value) => tf.scalar(value));
    const vector = tf.concat(scalars);
    expect(vector.shape).toEqual([3]);
    tf.dispose(scalars);
    expect([...vector.dataSync()]).toEqual([1, 2, 3]);
    expect(tf.concat([tf.ones([2, 1]), tf.zeros([2, 3])], 1).shape).toEqual([2, 4]);
    expect([...tf.concat([tf.tensor1d([1]), tf.tensor1d([2, 3])]).dataSync()]).toEqual([1, 2, 3]);
  });

  it('lets `fit` write histograms of weights that are all equal', async () => {
    const tf = await loadTensorFlow({ backend: 'tensorflow', quiet: true });
    // What `tf.node` is of: the type of TensorFlow.js does not know it.
    const { node } = tf as unknown as {
      node: { tensorBoard(folder: string, options: object): import('@tensorflow/tfjs').CustomCallback };
    };
    const folder = mkdtempSync(join(tmpdir(), 'g2d-histogram-'));
    try {
      const layers = [tf.layers.dense({ units: 2, inputShape: [3] }), tf.layers.batchNormalization()];
      const model = tf.sequential({ layers });
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      const callbacks = node.tensorBoard(folder, { histogramFreq: 1 });
      const [x, y] = [tf.randomNormal([8, 3], 0, 1, 'float32', 1), tf.zeros([8, 2])];
      await model.fit(x, y, { epochs: 2, validationSplit: 0.5, verbose: 0, callbacks });
      const [train] = readdirSync(join(folder, 'train'));
      expect(statSync(join(folder, 'train', train as string)).size).toBeGreaterThan(500);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
