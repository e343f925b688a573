import * as tf from '@tensorflow/tfjs';
import { expectNoLeak } from '@g2d/tensor-ops/testing';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { warnOfProbabilities } from './warn-of-probabilities.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
  // TensorFlow.js greets with the first operation.
  vi.spyOn(console, 'warn').mockReturnValue();
  tf.zeros([1]).dispose();
  tf.square(2).dispose();
});
afterEach(() => vi.restoreAllMocks());

/** What is said of two tensors of one argument, each disposed of at once, as by a `tidy`. */
async function said(argument: string, ...tensors: number[][][]): Promise<string[]> {
  const warn = vi.spyOn(console, 'warn').mockClear().mockReturnValue();
  expectNoLeak(() =>
    tf.tidy(() => {
      for (const rows of tensors) warnOfProbabilities(argument, tf.tensor2d(rows));
    }),
  );
  await new Promise((resolve) => setTimeout(resolve));
  return warn.mock.calls
    .map(([message]) => String(message))
    .filter((message) => !message.includes('TensorFlow.js'));
}

it('says once that rows of an argument look like probabilities', async () => {
  const softmax = [
    [0.5, 0.25, 0.25],
    [0, 1, 0],
  ];
  expect(await said('a', softmax, softmax)).toEqual(['`a` look like probabilities: leave out the softmax.']);
  expect(await said('a', softmax)).toEqual([]);
  expect(await said('b', [[0.2, 0.8]])).toHaveLength(1);
});

it('says nothing of logits, and looks at the first batch alone', async () => {
  expect(await said('c', [[0, 0]], [[0.5, 0.5]])).toEqual([]);
  // They add up to 1, but one is negative.
  expect(await said('d', [[1.5, -0.5]])).toEqual([]);
  expect(await said('e', [[0.9, 0.9]])).toEqual([]);
  expect(await said('f', [[NaN, 1]])).toEqual([]);
});
