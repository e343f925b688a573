import * as tf from '@tensorflow/tfjs';
import { withDropoutSeed } from '@g2d/accelerate';
import { beforeAll, describe, expect, it } from 'vitest';
import { flat } from './flat.js';
import { tateEncoder } from './tate-encoder.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const options = { name: 'text', inputShape: [3, 2], seed: 0, width: 4, heads: 2, dropout: 0.5 } as const;

describe('tateEncoder', () => {
  it('takes steps of zeros for none: what others come to does not depend on them', () => {
    const encoder = tateEncoder({ ...options, inputShape: [...options.inputShape] });
    const short = tateEncoder({ ...options, inputShape: [2, 2] });
    const steps = [
      [1, -1],
      [0.5, 2],
    ];
    const long = encoder.predict(tf.tensor3d([[...steps, [0, 0]]])) as tf.Tensor;
    const alone = short.predict(tf.tensor3d([steps])) as tf.Tensor;
    const values = [...long.dataSync()];
    [...alone.dataSync()].forEach((value, i) => expect(values[i]).toBeCloseTo(value, 6));
    // A step of zeros is what nothing comes to, alike in every sample.
    const nothing = encoder.predict(tf.zeros([1, 3, 2])) as tf.Tensor;
    expect([...nothing.dataSync()].slice(8)).toEqual(values.slice(8));
    expect([...nothing.dataSync()].every(Number.isFinite)).toBe(true);
  });

  it('takes a row for one step, and draws dropout from the seed', () => {
    const row = tateEncoder({ ...options, inputShape: [5] });
    expect(row.outputs[0]!.shape).toEqual([null, 4]);
    const encoder = tateEncoder({ ...options, inputShape: [...options.inputShape] });
    const x = tf.tensor3d([
      [
        [1, -1],
        [0.5, 2],
        [1, 1],
      ],
    ]);
    const drawn = (seed: number) =>
      withDropoutSeed(seed, () => [...(encoder.apply(x, { training: true }) as tf.Tensor).dataSync()]);
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(2)).not.toEqual(drawn(1));
  });

  it('refuses a free length and heads that do not divide the width', () => {
    expect(() => tateEncoder({ ...options, inputShape: [null, 2] })).toThrow(/of text are of free length/);
    expect(() => tateEncoder({ ...options, inputShape: [3, 2], heads: 3 })).toThrow(
      /`heads` is 3 and `width` is 4/,
    );
  });
});

describe('flat', () => {
  it('is the input in one row, without weights', () => {
    const encoder = flat({ name: 'image', inputShape: [2, 1, 2], seed: 0 });
    const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 1, 2]);
    expect((encoder.predict(x) as tf.Tensor).arraySync()).toEqual([[1, 2, 3, 4]]);
    expect(encoder.weights).toEqual([]);
    expect(() => flat({ name: 'text', inputShape: [null, 2], seed: 0 })).toThrow(/`inputShape` of flat/);
  });
});
