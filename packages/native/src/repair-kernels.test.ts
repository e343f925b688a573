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
