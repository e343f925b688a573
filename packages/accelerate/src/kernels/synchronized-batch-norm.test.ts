import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { normal } from '../../test/normal.js';
import { withSharedStatistics } from '../shared-statistics.js';
import { LINEAR, RELU } from './activation.js';
import type { BatchNormAttributes } from './batch-norm-types.js';
import { batchNorm, batchNormAdd, batchNormReluMaxPool } from './batch-norm.js';
import { registerTrainingKernels } from './register.js';

const CHANNELS = 3;
let first: tf.Tensor, second: tf.Tensor, whole: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor;
let attributes: BatchNormAttributes;

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  registerTrainingKernels();
  [first, second] = [normal(1, 2, 4, 4, CHANNELS), tf.add(normal(2, 3, 4, 4, CHANNELS), 2)];
  whole = tf.concat([first, second]);
  [gamma, beta] = [tf.add(normal(3, CHANNELS), 1), normal(4, CHANNELS)];
  attributes = {
    epsilon: 1e-3,
    momentum: 0.25,
    training: true,
    mean: normal(11, CHANNELS),
    variance: tf.ones([CHANNELS]),
  };
});

const window = { size: [2, 2], strides: [2, 2], padding: [0, 0] } as const;
type Pass = (x: tf.Tensor) => {
  readonly y: tf.Tensor;
  readonly mean?: tf.Tensor;
  readonly variance?: tf.Tensor;
};
const passes: Record<string, Pass> = {
  plain: (x) => batchNorm({ x, gamma, beta }, attributes, LINEAR),
  'with ReLU': (x) => batchNorm({ x, gamma, beta }, attributes, RELU),
  'with a sum': (x) => batchNormAdd({ x, gamma, beta }, tf.mul(x, 0.5), attributes, RELU),
  'with pooling': (x) => batchNormReluMaxPool({ x, gamma, beta }, attributes, window),
};

/** What a pass and its gradient by x come to: the loss is a weighted sum over all samples. */
function found(pass: Pass, x: tf.Tensor) {
  let result: ReturnType<Pass> | undefined;
  const dx = tf.grad((input: tf.Tensor) => {
    result = pass(input);
    for (const tensor of Object.values(result)) tf.keep(tensor as tf.Tensor);
    return tf.sum(tf.mul(result.y, tf.cos(result.y)));
  })(x);
  return { ...(result as ReturnType<Pass>), dx };
}

/**
 * The same in two processes that have parts of x: each is run again from the beginning until all sums are known.
 */
function inTwo(pass: Pass) {
  const known: tf.Tensor[][] = [];
  for (;;) {
    const parts: (readonly tf.Tensor[])[] = [];
    const ends = [first, second].map((x) => {
      let at = 0;
      const sum = (tensors: readonly tf.Tensor[]): readonly tf.Tensor[] => {
        const sums = known[at++];
        if (sums) return sums.map((each) => tf.clone(each));
        parts.push(tensors.map((tensor) => tf.keep(tf.clone(tensor))));
        throw new Error('not known yet');
      };
      try {
        return withSharedStatistics(sum, () => found(pass, x));
      } catch (error) {
        if ((error as Error).message !== 'not known yet') throw error;
        return undefined;
      }
    });
    const [one, two] = parts;
    if (!one || !two) return ends as ReturnType<typeof found>[];
    known.push(one.map((tensor, i) => tf.keep(tf.add(tensor, two[i] as tf.Tensor))));
  }
}

describe('synchronized batch normalization', () => {
  it.each(Object.entries(passes))('gives two processes what one has: %s', (_, pass) => {
    const one = found(pass, whole);
    const both = inTwo(pass);
    expectTensorClose(tf.concat(both.map(({ y }) => y)), one.y, { atol: 1e-5 });
    expectTensorClose(tf.concat(both.map(({ dx }) => dx)), one.dx, { atol: 1e-5 });
    for (const { mean, variance } of both) {
      expectTensorClose(mean!, one.mean!, { atol: 1e-5 });
      expectTensorClose(variance!, one.variance!, { atol: 1e-5 });
    }
  });

  it('leaves inference alone', () => {
    const pass = (): tf.Tensor => batchNorm({ x: first, gamma, beta }, { ...attributes, training: false }).y;
    const asked = (): never => {
      throw new Error('No sum is needed.');
    };
    expect(withSharedStatistics(asked, pass).dataSync()).toEqual(pass().dataSync());
  });
});
