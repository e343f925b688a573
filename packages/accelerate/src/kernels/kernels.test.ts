import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { normal } from '../../test/normal.js';
import { randomStream } from '@g2d/tensor-ops';
import { expectNoLeak, expectTensorClose, gradCheck } from '@g2d/tensor-ops/testing';
import { attention } from './attention.js';
import { activate, addActivated, LINEAR, RELU } from './activation.js';
import { batchNorm } from './batch-norm.js';
import { conv2d } from './conv2d.js';
import { depthwise } from './depthwise.js';
import { dropout, dropoutFactors } from './dropout.js';
import { canFuseLayerNorm, fusedLayerNorm } from './fused-layer-norm.js';
import { globalAverage } from './global-average.js';
import { layerNorm } from './layer-norm.js';
import { biasAdd, linear } from './linear.js';
import { maxPool } from './max-pool.js';
import { padKernel } from './pad.js';
import { registerTrainingKernels } from './register.js';
import { reshape } from './reshape.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  registerTrainingKernels();
});

/** Distinct values a quarter apart and at least an eighth from 0, in random order: no kink within two steps. */
const apart = (seed: number, ...shape: number[]) => {
  const size = shape.reduce((product, axis) => product * axis, 1);
  const order = randomStream(seed).permutation(size);
  return tf.tensor(
    Float32Array.from(order, (place) => (place - Math.floor(size / 2)) / 4 + 1 / 8),
    shape,
  );
};

describe('gradients agree with central differences', () => {
  const windows = {
    'stride 1, padding as `same`': { filter: [3, 3, 2, 3], strides: [1, 1], padding: [1, 1] },
    'stride 2, symmetric padding': { filter: [3, 3, 2, 3], strides: [2, 2], padding: [1, 1] },
    'a 5 × 3 window, another stride and padding on each axis': {
      filter: [5, 3, 2, 2],
      strides: [2, 1],
      padding: [2, 0],
    },
    'more padding than `same`': { filter: [1, 1, 2, 2], strides: [1, 1], padding: [1, 2] },
    'no padding, an even window': { filter: [2, 2, 2, 2], strides: [2, 2], padding: [0, 0] },
  } as const;
  for (const [name, { filter, strides, padding }] of Object.entries(windows)) {
    it(`convolution: ${name}`, () => {
      gradCheck((x, w) => conv2d(x, w, { strides, padding }), [normal(1, 2, 6, 5, 2), normal(2, ...filter)]);
    });
  }

  for (const training of [true, false]) {
    it(`batch normalization, ${training ? 'training' : 'inference'}`, () => {
      const [mean, variance] = [normal(4, 3), tf.tensor1d([0.5, 1, 2])];
      gradCheck(
        (x, gamma, beta) => {
          const result = batchNorm(
            { x, gamma, beta },
            { epsilon: 1e-5, momentum: 0.1, training, mean, variance },
          );
          return result.y;
        },
        [normal(1, 4, 2, 3, 3), normal(2, 3), normal(3, 3)],
      );
    });
  }

  it('batch normalization with ReLU', () => {
    // With running statistics 0 and 1 the value before ReLU is γx + β: as far from 0 as x.
    const x = apart(1, 2, 2, 2, 2);
    const statistics = { mean: tf.zeros([2]), variance: tf.ones([2]) };
    const options = { epsilon: 1e-5, momentum: 0.1, training: false, ...statistics };
    gradCheck(
      (value, gamma) => batchNorm({ x: value, gamma, beta: tf.zeros([2]) }, options, RELU).y,
      [x, tf.tensor1d([1, 2])],
      { step: 1 / 64 },
    );
  });

  for (const [name, activation] of Object.entries({
    ReLU: RELU,
    'ReLU6, with its bound at 1.5': { slope: 0, most: 1.5 },
    'leaky ReLU': { slope: 0.25, most: Infinity },
    'a sum': LINEAR,
  })) {
    it(`${name}, alone and of a sum`, () => {
      gradCheck((x) => activate(x, activation), [apart(1, 3, 5)], { step: 1 / 32 });
      gradCheck((a, b) => addActivated(a, b, activation), [apart(1, 3, 5), tf.mul(tf.ones([3, 5]), 1 / 64)], {
        step: 1 / 32,
      });
    });
  }

  for (const [size, stride, padding] of [
    [3, 1, 'same'],
    [3, 2, 'same'],
    [3, 2, [1, 1, 1, 1]],
    [5, 1, [0, 0, 0, 0]],
    [2, 1, [0, 0, 0, 0]],
  ] as const) {
    it(`depthwise convolution: window ${size}, stride ${stride}, padding ${padding.toString()}`, () => {
      const window = { strides: [stride, stride], padding } as const;
      gradCheck((x, w) => depthwise(x, w, window), [normal(1, 2, 6, 5, 3), normal(2, size, size, 3, 1)]);
    });
  }

  it('maximum pooling, overlapping windows and padding', () => {
    const pool = (x: tf.Tensor) => maxPool(padKernel(x, [1, 1], -1e4), { size: [3, 3], strides: [2, 2] });
    gradCheck(pool, [apart(1, 2, 6, 5, 2)], { step: 1 / 32 });
  });

  it('padding, global average, another shape', () => {
    gradCheck((x) => padKernel(x, [2, 1], 0.5), [normal(1, 2, 3, 2, 2)]);
    gradCheck(globalAverage, [normal(1, 2, 3, 4, 2)]);
    gradCheck((x) => reshape(x, [6, 4]), [normal(1, 2, 3, 4)]);
  });

  it('matrix product and bias', () => {
    gradCheck(
      (x, kernel, bias) => biasAdd(linear(x, kernel), bias),
      [normal(1, 4, 3), normal(2, 3, 5), normal(3, 5)],
    );
    gradCheck(biasAdd, [normal(1, 2, 3, 2, 4), normal(2, 4)]);
  });

  it('layer normalization', () => {
    gradCheck(
      (x, gamma, beta) => layerNorm(x, gamma, beta, 1e-5),
      [normal(1, 2, 3, 6), normal(2, 6), normal(3, 6)],
      // The fifth derivative of a row's deviation is large.
      { step: 1 / 32, tolerance: 5e-4 },
    );
  });

  it('attention, with and without a mask', () => {
    const options = { heads: 2, scale: 0.7, dropout: 0 };
    const projected = normal(1, 2, 3, 12);
    gradCheck((x) => attention(x, undefined, options), [projected]);
    gradCheck((x, mask) => attention(x, mask, options), [projected, normal(2, 2, 1, 3)]);
  });

  it('attention and dropout whose masks are settled by a seed', () => {
    const options = { heads: 2, scale: 0.7, dropout: 0.4, seeds: [1, 2] };
    gradCheck((x) => attention(x, undefined, options), [normal(1, 2, 3, 12)]);
    gradCheck((x) => dropout(x, { rate: 0.4, seed: 3 }), [normal(1, 5, 4)]);
  });
});

describe('values', () => {
  it('the running variance is unbiased and moves by a tenth', () => {
    const x = tf.tensor4d([1, 2, 3, 4], [4, 1, 1, 1]);
    const result = batchNorm(
      { x, gamma: tf.ones([1]), beta: tf.zeros([1]) },
      { epsilon: 1e-5, momentum: 0.1, training: true, mean: tf.zeros([1]), variance: tf.ones([1]) },
      RELU,
    );
    expectTensorClose(result.mean!, [0.25], { atol: 1e-6 });
    expectTensorClose(result.variance!, [0.9 + 0.1 * (5 / 3)], { atol: 1e-6 });
    // (x − 2.5) / √(1.25 + 1e-5), rectified.
    const scale = Math.sqrt(1.25 + 1e-5);
    expectTensorClose(result.y, [0, 0, 0.5 / scale, 1.5 / scale], { atol: 1e-6 });
  });

  it('of equal values the first in a pooling window gets the gradient, as in PyTorch', () => {
    const gradient = tf.grad((x) => tf.sum(maxPool(x, { size: [2, 2], strides: [2, 2] })));
    expectTensorClose(gradient(tf.tensor4d([5, 5, 5, 5], [1, 2, 2, 1])), [1, 0, 0, 0], {});
  });

  it('attention is softmax(scale · QKᵀ) V', () => {
    // One head of width 1, two steps: q = (1, 2), k = (1, 0), v = (3, 5).
    const projected = tf.tensor3d([1, 1, 3, 2, 0, 5], [1, 2, 3]);
    const p = 1 / (1 + Math.exp(-1));
    const q = 1 / (1 + Math.exp(-2));
    expectTensorClose(
      attention(projected, undefined, { heads: 1, scale: 1, dropout: 0 }),
      [3 * p + 5 * (1 - p), 3 * q + 5 * (1 - q)],
      { atol: 1e-5 },
    );
  });

  it('attention of many steps, masked ones and what is not finite among them, is that of plain operations', () => {
    const [batch, time, heads, size] = [2, 70, 3, 5];
    const plain = (projected: tf.Tensor, mask: tf.Tensor) => {
      const parts = tf.reshape(projected, [batch, time, 3, heads, size]);
      const [q, k, v] = tf.unstack(tf.transpose(parts, [2, 0, 3, 1, 4])) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const scores = tf.add(tf.mul(tf.matMul(q, k, false, true), 0.7), tf.expandDims(mask, 1));
      return tf.reshape(tf.transpose(tf.matMul(tf.softmax(scores), v), [0, 2, 1, 3]), [batch, time, -1]);
    };
    const fused = (projected: tf.Tensor, mask: tf.Tensor) =>
      attention(projected, mask, { heads, scale: 0.7, dropout: 0 });
    const dy = normal(3, batch, time, heads * size);
    // All of the second sample's steps are masked; of the first one every third.
    const masked = Float32Array.from({ length: batch * time }, (_, i) =>
      i >= time || i % 3 === 1 ? -1e9 : 0,
    );
    for (const [at, value] of [
      [-1, 0],
      [7, NaN],
      [1000, Infinity],
      [2000, -Infinity],
    ] as const) {
      const values = (normal(1, batch, time, 3 * heads * size).dataSync() as Float32Array).slice();
      if (at >= 0) values[at] = value;
      const inputs = [
        tf.tensor(values, [batch, time, 3 * heads * size]),
        tf.tensor(masked, [batch, 1, time]),
      ];
      const results = [fused, plain].map((f) => [
        f(inputs[0]!, inputs[1]!),
        ...tf.grads(f as (...x: tf.Tensor[]) => tf.Tensor)(inputs, dy),
      ]);
      const [own, expected] = results.map((tensors) => tensors.map((tensor) => tensor.dataSync()));
      expected!.forEach((numbers, k) => {
        const finite = [...numbers].filter((number) => Number.isFinite(number)).map(Math.abs);
        const scale = Math.max(1, ...finite);
        const wrong = [...numbers].filter((number, i) => {
          const actual = own![k]![i]!;
          const same = Number.isNaN(number) ? Number.isNaN(actual) : number === actual;
          return !same && !(Math.abs(actual - number) <= 1e-5 * scale);
        });
        expect(wrong, `${value}, result ${k}`).toEqual([]);
      });
    }
  });

  it('attention with dropout keeps the expected value and differs from call to call', () => {
    const projected = normal(3, 1, 64, 3);
    const run = (dropout: number) => attention(projected, undefined, { heads: 1, scale: 0, dropout });
    const values = run(0).dataSync();
    const mean = (numbers: ArrayLike<number>) => Array.from(numbers).reduce((a, b) => a + b, 0) / 64;
    const sampled = Array.from({ length: 50 }, () => mean(run(0.5).dataSync()));
    expect(new Set(sampled).size).toBe(50);
    expect(mean(values)).toBeCloseTo(sampled.reduce((a, b) => a + b, 0) / 50, 1);
  });
});

describe('dropout by a seed', () => {
  it('multiplies by its factors, which are the gradient', () => {
    const x = tf.ones([4, 3]);
    const options = { rate: 0.25, seed: 5 };
    const factors = dropoutFactors(12, { rate: 0.25, seed: 5 });
    expect(dropout(x, options).dataSync()).toEqual(factors);
    const { value, grad } = tf.valueAndGrad((z) => dropout(z, options))(x);
    expect(value.dataSync()).toEqual(factors);
    expect(grad.dataSync()).toEqual(factors);
  });

  it('of attention has one stream for each head', () => {
    // Equal weights of 1/2 for two steps; values of 1: a head's output is half the sum of its factors.
    const projected = tf.tensor3d(
      [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1],
      [2, 2, 6],
    );
    const y = attention(projected, undefined, { heads: 2, scale: 1, dropout: 0.5, seeds: [8, 9] });
    const [first, second] = [
      dropoutFactors(8, { rate: 0.5, seed: 8 }),
      dropoutFactors(8, { rate: 0.5, seed: 9 }),
    ];
    // A head's factors are [B, T, T]; the output is [B, T, H].
    const half = (factors: Float32Array, row: number) => (factors[2 * row]! + factors[2 * row + 1]!) / 2;
    expectTensorClose(
      y,
      [0, 1, 2, 3].flatMap((row) => [half(first, row), half(second, row)]),
      { atol: 1e-6 },
    );
    expect(first).not.toEqual(second);
  });

  it('of parts of a batch is that of the whole, gradients included', () => {
    const [x, projected] = [normal(1, 6, 7), normal(2, 6, 3, 12)];
    const weights = { gamma: normal(3, 7), beta: normal(4, 7) };
    const run = (a: tf.Tensor, b: tf.Tensor, part: number) => {
      const norm = canFuseLayerNorm(a)
        ? fusedLayerNorm(
            { x: a, residual: tf.onesLike(a), ...weights },
            { epsilon: 1e-5, rate: 0.4, seed: 3, part },
          )
        : dropout(a, { rate: 0.4, seed: 3, part });
      const settings = { heads: 2, scale: 1, dropout: 0.5, seeds: [1, 2], part };
      return [dropout(a, { rate: 0.3, seed: 9, part }), norm, attention(b, undefined, settings)];
    };
    const total = (ys: tf.Tensor[]) => tf.addN(ys.map((y) => tf.sum(tf.square(y)))) as tf.Scalar;
    const whole = [
      ...run(x, projected, 0),
      ...tf.grads((a, b) => total(run(a as tf.Tensor, b as tf.Tensor, 0)))([x, projected]),
    ];
    const parts = [0, 1, 2].map((part) => {
      const [a, b] = [x, projected].map((all) => tf.slice(all, part * 2, 2)) as [tf.Tensor, tf.Tensor];
      return [
        ...run(a, b, part),
        ...tf.grads((c, d) => total(run(c as tf.Tensor, d as tf.Tensor, part)))([a, b]),
      ];
    });
    whole.forEach((all, i) =>
      expectTensorClose(tf.concat(parts.map((part) => part[i]!)), all, { atol: 1e-6, rtol: 1e-6 }),
    );
  });

  it('leaves nothing behind', () => {
    const [x, projected] = [normal(1, 3, 4), normal(2, 2, 3, 12)];
    const settings = { heads: 2, scale: 1, dropout: 0.5, seeds: [1, 2] };
    expectNoLeak(() => [dropout(x, { rate: 0.5, seed: 1 }), attention(projected, undefined, settings)]);
    const gradients = tf.grads((a, b) =>
      tf.add(
        tf.sum(dropout(a as tf.Tensor, { rate: 0.5, seed: 1 })),
        tf.sum(attention(b as tf.Tensor, undefined, settings)),
      ),
    );
    const step = () => tf.tidy(() => void gradients([x, projected]));
    step();
    expectNoLeak(step);
  });
});

describe('use', () => {
  it('gradients that nobody asked for are not computed', () => {
    const kernels = (f: () => void) => {
      const names: string[] = [];
      const backend = tf.backend() as unknown as { executeSingleOutput(name: string): unknown };
      const original = backend.executeSingleOutput;
      backend.executeSingleOutput = function (this: unknown, ...args) {
        names.push(args[0]);
        return original.apply(this, args);
      };
      f();
      backend.executeSingleOutput = original;
      return names;
    };
    const [x, filter] = [normal(1, 1, 4, 4, 1), normal(2, 3, 3, 1, 1)];
    const convolve = (image: tf.Tensor, w: tf.Tensor) =>
      tf.sum(conv2d(image, w, { strides: [1, 1], padding: [1, 1] }));
    const onlyFilter = kernels(() => tf.grad((w) => convolve(x, w))(filter));
    expect(onlyFilter).toContain('Conv2DBackpropFilter');
    expect(onlyFilter).not.toContain('Conv2DBackpropInput');
    const onlyInput = kernels(() => tf.grad((image) => convolve(image, filter))(x));
    expect(onlyInput).toContain('Conv2DBackpropInput');
    expect(onlyInput).not.toContain('Conv2DBackpropFilter');
  });

  it('a gradient that the caller brings stays the caller’s', () => {
    const dy = tf.ones([2, 3]);
    tf.dispose(tf.grads((x) => activate(x as tf.Tensor, RELU))([normal(1, 2, 3)], dy));
    expectTensorClose(dy, [1, 1, 1, 1, 1, 1], {});
  });

  it('refuses gradients of gradients with a sentence', () => {
    const inner = (x: tf.Tensor) => tf.grad((value) => tf.sum(activate(value, RELU)))(x);
    expect(() => tf.grad((x) => tf.sum(inner(x)))(normal(1, 3))).toThrow(/first-order gradients only/);
  });

  it('leaves nothing behind', () => {
    const [x, filter] = [normal(1, 2, 6, 6, 2), normal(2, 3, 3, 2, 3)];
    const step = () =>
      tf.tidy(
        () =>
          void tf.grads((a, b) => {
            const y = conv2d(a as tf.Tensor, b as tf.Tensor, { strides: [2, 2], padding: [1, 1] });
            return maxPool(padKernel(activate(y, RELU), [1, 1], 0), { size: [3, 3], strides: [2, 2] });
          })([x, filter]),
      );
    step();
    expectNoLeak(step);
  });
});
