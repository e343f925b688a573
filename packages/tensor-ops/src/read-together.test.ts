import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { readTogether } from './read-together.js';
import { expectNoLeak } from './testing.js';
import { valuesOf } from './values-of.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** How often values are fetched meanwhile. */
function fetchesIn(run: () => unknown): number {
  const spy = vi.spyOn(tf.backend(), 'readSync');
  try {
    run();
    return spy.mock.calls.length;
  } finally {
    spy.mockRestore();
  }
}

describe('readTogether', () => {
  it('gives what each tensor gives, of any shape and type', () => {
    const tensors = [
      tf.scalar(0.1),
      tf.tensor2d([1, 2, 3, 4], [2, 2]),
      tf.tensor1d([7, 2 ** 24], 'int32'),
      tf.tensor1d([true, false], 'bool'),
      tf.zeros([0, 3]),
    ];
    expectNoLeak(() => {
      expect(readTogether(tensors).map((values) => [...values])).toEqual([
        [Math.fround(0.1)],
        [1, 2, 3, 4],
        [7, 2 ** 24],
        [1, 0],
        [],
      ]);
    });
    tf.dispose(tensors);
  });

  it('fetches once, and one that comes twice once', () => {
    const [a, b] = [tf.scalar(1), tf.scalar(NaN)];
    expect(
      fetchesIn(() =>
        expect(readTogether([a, b, a])).toEqual([[1], [NaN], [1]].map((x) => Float32Array.from(x))),
      ),
    ).toBe(1);
    expect(fetchesIn(() => expect(readTogether([])).toEqual([]))).toBe(0);
  });
});

describe('valuesOf', () => {
  it('fetches the values of a tensor once', () => {
    const labels = tf.tensor1d([2, 0, 1], 'int32');
    expect(
      fetchesIn(() => {
        expect(valuesOf<'int32'>(labels)).toEqual(Int32Array.of(2, 0, 1));
        expect(valuesOf<'int32'>(labels)).toEqual(Int32Array.of(2, 0, 1));
      }),
    ).toBe(1);
  });

  it('gives what a variable holds now', () => {
    const labels = tf.variable(tf.tensor1d([1]));
    expect([...valuesOf(labels)]).toEqual([1]);
    labels.assign(tf.tensor1d([2]));
    expect([...valuesOf(labels)]).toEqual([2]);
    labels.dispose();
  });
});
