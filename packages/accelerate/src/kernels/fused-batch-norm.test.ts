import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { normal } from '../../test/normal.js';
import { expectNoLeak, expectTensorClose, gradCheck } from '@g2d/tensor-ops/testing';
import { RELU } from './activation.js';
import type { BatchNormAttributes } from './batch-norm-types.js';
import { registerTrainingKernels } from './register.js';
import { tensorflow } from '@g2d/tensor-ops/tensorflow';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  registerTrainingKernels();
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A copy of the module that has not looked for our operations yet; TensorFlow has them or not. */
async function batchNormModule(present: boolean): Promise<typeof import('./batch-norm.js')> {
  vi.resetModules();
  const module = await import('./batch-norm.js');
  if (!present) {
    const backend = tensorflow();
    const original = backend.executeMultipleOutputs.bind(backend);
    vi.spyOn(backend, 'executeMultipleOutputs').mockImplementation((operation, ...rest) => {
      if (operation.startsWith('G2dV')) throw new Error(`Op type not registered '${operation}'`);
      return original(operation, ...rest);
    });
  }
  return module;
}

const statistics = (channels: number): BatchNormAttributes => ({
  epsilon: 1e-3,
  momentum: 0.25,
  training: true,
  mean: normal(11, channels),
  variance: tf.ones([channels]),
});

/** The definition, in TensorFlow.js operations. */
function plain(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  const deviation = tf.sqrt(tf.add(variance, 1e-3));
  return tf.add(tf.mul(tf.div(tf.sub(x, mean), deviation), gamma), beta);
}

const window = { size: [3, 3], strides: [2, 2], padding: [1, 1] } as const;
const pooled = (x: tf.Tensor): tf.Tensor => {
  const padded = tf.pad(x, [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ]);
  return tf.maxPool(padded as tf.Tensor4D, 3, 2, 'valid');
};

type Function = (...inputs: tf.Tensor[]) => tf.Tensor;

const shapes = [
  [2, 5, 4, 3],
  [3, 9, 7, 11],
  [2, 16, 13, 16],
  [5, 1, 1, 1],
  [70, 1, 1, 130],
  [16, 30, 30, 24],
];

describe.each([
  { title: 'with our operations', present: true },
  { title: 'without them', present: false },
])('batch normalization $title', ({ present }) => {
  for (const shape of shapes) {
    it(`has the values and gradients of its definition: ${shape.join(' × ')}`, async () => {
      const { batchNorm, batchNormAdd, batchNormReluMaxPool } = await batchNormModule(present);
      const channels = shape.at(-1) as number;
      const options = statistics(channels);
      const inputs = [normal(1, ...shape), normal(2, channels), normal(3, channels)] as const;
      const cases: [Function, Function, tf.Tensor[]][] = [
        [(x, gamma, beta) => batchNorm(named(x, gamma, beta), options).y, plainOf, [...inputs]],
        [
          (x, gamma, beta) => batchNorm(named(x, gamma, beta), options, RELU).y,
          (...given) => tf.relu(plainOf(...given)),
          [...inputs],
        ],
        [
          (x, gamma, beta, residual) =>
            batchNormAdd(named(x, gamma, beta), residual as tf.Tensor, options, RELU).y,
          (x, gamma, beta, residual) => tf.relu(tf.add(plainOf(x, gamma, beta), residual as tf.Tensor)),
          [...inputs, normal(4, ...shape)],
        ],
        [
          (x, gamma, beta) => batchNormReluMaxPool(named(x, gamma, beta), options, window).y,
          (...given) => pooled(tf.relu(plainOf(...given))),
          [...inputs],
        ],
      ];
      for (const [ours, definition, given] of cases) {
        const expected = definition(...given);
        expectTensorClose(ours(...given), expected, { atol: 2e-5 });
        const dy = normal(5, ...expected.shape);
        const actual = tf.grads(ours)(given, dy);
        const scale = shape.reduce((a, b) => a * b, 1) / channels;
        tf.grads(definition)(given, dy).forEach((gradient, i) => {
          expect(actual[i]?.shape).toEqual(gradient.shape);
          // Gradients of gamma and beta are sums over all rows.
          expectTensorClose(actual[i] as tf.Tensor, gradient, {
            atol: 1e-5 * Math.sqrt(scale) + 2e-5,
          });
        });
      }
    });
  }

  it('moves the running statistics as PyTorch does, the variance unbiased', async () => {
    const { batchNorm, batchNormAdd, batchNormReluMaxPool } = await batchNormModule(present);
    const inputs = named(tf.tensor4d([1, 2, 3, 4], [1, 4, 1, 1]), tf.ones([1]), tf.zeros([1]));
    const options = {
      epsilon: 1e-5,
      momentum: 0.1,
      training: true,
      mean: tf.zeros([1]),
      variance: tf.ones([1]),
    };
    const tall = { size: [2, 1], strides: [2, 1], padding: [0, 0] } as const;
    for (const result of [
      batchNorm(inputs, options, RELU),
      batchNormAdd(inputs, tf.zeros([1, 4, 1, 1]), options, RELU),
      batchNormReluMaxPool(inputs, options, tall),
    ]) {
      expectTensorClose(result.mean!, [0.25], { atol: 1e-6 });
      expectTensorClose(result.variance!, [0.9 + 0.1 * (5 / 3)], { atol: 1e-6 });
    }
  });

  it('has gradients that agree with central differences', async () => {
    const { batchNorm, batchNormAdd } = await batchNormModule(present);
    const options = { ...statistics(3), epsilon: 1e-2 };
    const [gamma, beta] = [tf.tensor1d([0.5, -1, 2]), tf.tensor1d([0.1, 0.2, 0.3])];
    gradCheck((x, g, b) => batchNorm(named(x, g, b), options).y, [normal(1, 4, 2, 3, 3), gamma, beta]);
    // A residual of ±8: nothing comes near the kink.
    const residual = tf.mul(
      tf.sub(tf.mul(tf.cast(tf.greater(normal(2, 4, 2, 3, 3), 0), 'float32'), 2), 1),
      8,
    );
    gradCheck(
      (x, g, b) => batchNormAdd(named(x, g, b), residual, options, RELU).y,
      [normal(1, 4, 2, 3, 3), gamma, beta],
    );
  });

  it('leaves nothing behind, with and without gradients', async () => {
    const { batchNorm, batchNormAdd, batchNormReluMaxPool } = await batchNormModule(present);
    const options = statistics(3);
    const inputs = [normal(1, 2, 6, 6, 3), normal(2, 3), normal(3, 3)] as [tf.Tensor, tf.Tensor, tf.Tensor];
    const results = (...given: tf.Tensor[]) => {
      const all = [
        batchNorm(named(...given), options, RELU),
        batchNormAdd(named(...given), given[0] as tf.Tensor, options, RELU),
        batchNormReluMaxPool(named(...given), options, window),
      ];
      for (const { mean, variance } of all) tf.dispose([mean, variance]);
      return all.map(({ y }) => y);
    };
    const step = () => {
      tf.dispose(results(...inputs));
      tf.tidy(() => {
        const loss: Function = (...given) => {
          const [a, b, c] = results(...given).map((y) => tf.sum(y)) as [tf.Tensor, tf.Tensor, tf.Tensor];
          return tf.add(tf.add(a, b), c);
        };
        void tf.grads(loss)(inputs);
      });
    };
    step();
    expectNoLeak(step);
  });

  it('without values: nothing, and no gradient of it', async () => {
    const { batchNorm } = await batchNormModule(present);
    const empty = tf.zeros([0, 2, 2, 3]);
    const { y } = batchNorm(named(empty, tf.ones([3]), tf.zeros([3])), statistics(3), RELU);
    expect(y.shape).toEqual([0, 2, 2, 3]);
  });
});

describe('our operations', () => {
  const run = async (x: tf.Tensor) => {
    const { batchNorm } = await batchNormModule(true);
    const channels = x.shape.at(-1) as number;
    const options = statistics(channels);
    const inputs = named(x, tf.ones([channels]), tf.zeros([channels]));
    return batchNorm(inputs, options, RELU).y;
  };

  it('are what runs, if they are there', async () => {
    const names = vi.spyOn(tensorflow(), 'executeMultipleOutputs');
    await run(normal(1, 2, 3, 3, 2));
    // `g2d-native doctor` says whether they should be.
    const attempt = names.mock.results[0];
    const last = names.mock.calls.at(-1)?.[0];
    expect(last).toBe(attempt?.type === 'return' ? 'G2dV2BatchNorm' : 'FusedBatchNormV3');
  });

  it('keep a number that is none, and only in its channel', async () => {
    const values = normal(1, 2, 3, 3, 2).dataSync();
    values[4] = NaN;
    const y = await run(tf.tensor4d(values as Float32Array, [2, 3, 3, 2]));
    const [even, odd] = [0, 1].map((rest) => y.dataSync().filter((_, i) => i % 2 === rest));
    expect(even?.every(Number.isNaN)).toBe(true);
    expect(odd?.some(Number.isNaN)).toBe(false);
  });

  it('lose no more to a large mean than its float32 does', async () => {
    const values = Float32Array.from(normal(1, 8, 32, 32, 1).dataSync(), (value) => value + 4096);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const expected = values.map((value) => Math.max(0, (value - mean) / Math.sqrt(variance + 1e-3)));
    // Neighbours of 4096 are 0.0005 apart.
    const y = await run(tf.tensor4d(values, [8, 32, 32, 1]));
    expectTensorClose(y, Array.from(expected), { atol: 1e-3 });
  });

  it('give the same bits again', async () => {
    const x = normal(1, 16, 30, 30, 24);
    expect((await run(x)).dataSync()).toEqual((await run(x)).dataSync());
  });
});

const named = (...[x, gamma, beta]: tf.Tensor[]) =>
  ({ x, gamma, beta }) as { x: tf.Tensor; gamma: tf.Tensor; beta: tf.Tensor };
const plainOf: Function = (...[x, gamma, beta]) =>
  plain(x as tf.Tensor, gamma as tf.Tensor, beta as tf.Tensor);
