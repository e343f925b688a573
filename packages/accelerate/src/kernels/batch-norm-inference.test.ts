import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { normal } from '../../test/normal.js';
import { expectNoLeak, expectTensorClose, gradCheck } from '@g2d/tensor-ops/testing';
import { RELU } from './activation.js';
import { batchNorm, batchNormAdd, batchNormReluMaxPool } from './batch-norm.js';
import { registerTrainingKernels } from './register.js';
import { tensorflow, type Attribute } from '@g2d/tensor-ops/tensorflow';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  registerTrainingKernels();
});
afterEach(() => {
  vi.restoreAllMocks();
});

const EPSILON = 1e-3;
const running = (channels: number) => ({
  epsilon: EPSILON,
  momentum: 0.1,
  training: false,
  mean: normal(4, channels),
  variance: tf.add(0.5, tf.abs(normal(5, channels))),
});

/** What TensorFlow may leave unwritten in inference is filled with NaN, as other memory would. */
function spoilReserved(): void {
  const backend = tensorflow();
  const original = backend.executeMultipleOutputs.bind(backend);
  vi.spyOn(backend, 'executeMultipleOutputs').mockImplementation((operation, attributes, inputs, outputs) => {
    const results = original(operation, attributes, inputs, outputs);
    const inference = attributes.some(({ name, value }: Attribute) => name === 'is_training' && !value);
    if (!inference || operation.includes('Grad')) return results;
    return results.map((tensor, i) => {
      if (i === 0) return tensor;
      tensor.dispose();
      return tf.fill(tensor.shape, NaN);
    });
  });
}

const shapes = [
  [1, 1, 1, 1],
  [2, 1, 1, 3],
  [1, 5, 1, 2],
  [4, 2, 3, 3],
  [2, 3, 3, 8],
  [3, 2, 2, 17],
  [1, 1, 2, 65],
] as const;

describe('batch normalization with running statistics', () => {
  for (const spoiled of [false, true])
    it.each(shapes)(
      `of [%i, %i, %i, %i] has the gradients of central differences${spoiled ? ', whatever lies in reserved outputs' : ''}`,
      (...shape) => {
        if (spoiled) spoilReserved();
        const channels = shape[3];
        const { mean, variance, ...options } = running(channels);
        gradCheck(
          (x, gamma, beta) => batchNorm({ x, gamma, beta }, { ...options, mean, variance }).y,
          [normal(1, ...shape), normal(2, channels), normal(3, channels)],
        );
        // The statistics are inputs too, for whoever trains them.
        const [x, gamma, beta] = [normal(1, ...shape), normal(2, channels), normal(3, channels)];
        gradCheck(
          (mu, sigma) => batchNorm({ x, gamma, beta }, { ...options, mean: mu, variance: sigma }).y,
          [mean, variance],
          { step: 1 / 64, tolerance: 3e-4 },
        );
      },
    );

  // Too many values for differences, so as its definition says: on all sides of the sizes at which kernels change.
  it.each([
    [16, 7, 7, 64],
    [3, 33, 17, 31],
    [2, 64, 64, 16],
    [1, 3, 5, 512],
  ])('of [%i, %i, %i, %i] has the gradients of its definition, with what follows it', (...shape) => {
    spoilReserved();
    const channels = shape[3]!;
    const options = running(channels);
    const [x, gamma, beta] = [normal(1, ...shape), normal(2, channels), normal(3, channels)];
    const residual = normal(6, ...shape);
    const window = { size: [3, 3], strides: [2, 2], padding: [1, 1] } as const;
    const plain = (a: tf.Tensor, g: tf.Tensor, b: tf.Tensor) =>
      tf.add(tf.mul(tf.sub(a, options.mean), tf.mul(g, tf.rsqrt(tf.add(options.variance, EPSILON)))), b);
    const padded = (y: tf.Tensor) =>
      tf.pad(y as tf.Tensor4D, [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ]);
    type Variant = (...inputs: [tf.Tensor, tf.Tensor, tf.Tensor]) => tf.Tensor;
    const variants: [name: string, ours: Variant, plain: Variant][] = [
      ['alone', (a, g, b) => batchNorm({ x: a, gamma: g, beta: b }, options).y, plain],
      [
        'ReLU',
        (a, g, b) => batchNorm({ x: a, gamma: g, beta: b }, options, RELU).y,
        (...inputs) => tf.relu(plain(...inputs)),
      ],
      [
        'a sum and ReLU',
        (a, g, b) => batchNormAdd({ x: a, gamma: g, beta: b }, residual, options, RELU).y,
        (...inputs) => tf.relu(tf.add(plain(...inputs), residual)),
      ],
      [
        'ReLU and pooling',
        (a, g, b) => batchNormReluMaxPool({ x: a, gamma: g, beta: b }, options, window).y,
        (...inputs) => tf.maxPool(padded(tf.relu(plain(...inputs))), 3, 2, 'valid'),
      ],
    ];
    for (const [name, ours, definition] of variants) {
      const expected = definition(x, gamma, beta);
      const dy = normal(7, ...expected.shape);
      const pairs = [
        [ours(x, gamma, beta), expected],
        ...tf
          .grads((...at) => ours(...(at as unknown as Parameters<Variant>)))([x, gamma, beta], dy)
          .map((gradient, i) => [
            gradient,
            tf.grads((...at) => definition(...(at as unknown as Parameters<Variant>)))([x, gamma, beta], dy)[
              i
            ],
          ]),
      ] as [tf.Tensor, tf.Tensor][];
      pairs.forEach(([actual, wanted], i) => {
        const scale = tf.max(tf.abs(wanted)).dataSync()[0]!;
        try {
          expectTensorClose(actual, wanted, { atol: 1e-5 * scale });
        } catch (error) {
          throw new Error(`${name}, ${['y', 'dx', 'dgamma', 'dbeta'][i]}: ${(error as Error).message}`, {
            cause: error,
          });
        }
      });
    }
  });

  it('is differentiated at the statistics of its forward pass', () => {
    const options = running(2);
    const [mean, variance] = [tf.variable(options.mean), tf.variable(options.variance)];
    const [x, gamma, beta] = [normal(1, 2, 2, 2, 2), normal(2, 2), normal(3, 2)];
    const gradient = (moves: boolean) =>
      tf.grad((g) => {
        const { y } = batchNorm({ x, gamma: g, beta }, { ...options, mean, variance });
        if (moves) {
          mean.assign(tf.tensor1d([50, 60]));
          variance.assign(tf.tensor1d([100, 90]));
        }
        return tf.sum(tf.square(y));
      })(gamma);
    const expected = gradient(false);
    expectTensorClose(gradient(true), expected, {});
    tf.dispose([mean, variance]);
  });

  it('leaves nothing behind, and gives no statistics', () => {
    const options = running(3);
    const inputs = { x: normal(1, 2, 4, 4, 3), gamma: normal(2, 3), beta: normal(3, 3) };
    expect(batchNorm(inputs, options, RELU)).toEqual({ y: expect.any(tf.Tensor) });
    const step = () =>
      tf.grads((x, gamma, beta) => batchNorm({ x, gamma, beta }, options, RELU).y)([
        inputs.x,
        inputs.gamma,
        inputs.beta,
      ]);
    tf.dispose(step());
    expectNoLeak(step);
  });
});
