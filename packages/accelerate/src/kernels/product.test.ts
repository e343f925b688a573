import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { expected } from '../../test/expected.js';
import { normal } from '../../test/normal.js';
import { rounded } from '../../test/rounded.js';
import { expectNoLeak, expectTensorClose, gradCheck } from '@g2d/tensor-ops/testing';
import { tensorflow } from '@g2d/tensor-ops/tensorflow';
import { LINEAR, RELU } from './activation.js';
import { linear } from './linear.js';
import { matMul, matMulWithBias, type Transposed } from './product.js';
import { registerTrainingKernels } from './register.js';

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  registerTrainingKernels();
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Σₖ a[i, k] b[k, j] in double precision, and Σₖ |a[i, k] b[k, j]|. */
function exact(a: tf.Tensor, b: tf.Tensor, transposed: Transposed): { sums: number[]; sizes: number[] } {
  const [left, right] = [
    transposed === 'a' ? tf.transpose(a) : a,
    transposed === 'b' ? b : tf.transpose(b),
  ].map((tensor) => ({ values: tensor.dataSync(), shape: tensor.shape as [number, number] }));
  const [rows, depth] = left!.shape;
  const sums: number[] = [];
  const sizes: number[] = [];
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < right!.shape[0]; j++) {
      let [sum, size] = [0, 0];
      for (let k = 0; k < depth; k++) {
        const term = left!.values[i * depth + k]! * right!.values[j * depth + k]!;
        sum += term;
        size += Math.abs(term);
      }
      sums.push(sum);
      sizes.push(size);
    }
  return { sums, sizes };
}

const shapes = (rows: number, depth: number, columns: number, transposed: Transposed) =>
  [
    transposed === 'a' ? [depth, rows] : [rows, depth],
    transposed === 'b' ? [columns, depth] : [depth, columns],
  ] as const;

const transpositions = ['none', 'a', 'b'] as const;

/** The same functions, or those where the operations are not there. */
async function functionsOf(whose: string) {
  if (whose === 'ours') return { matMul, matMulWithBias };
  vi.resetModules();
  const original = tensorflow().executeSingleOutput.bind(tensorflow());
  vi.spyOn(tensorflow(), 'executeSingleOutput').mockImplementation((operation, ...others) => {
    if (operation.startsWith('G2dV2MatMul')) throw new Error(`Op type not registered '${operation}'`);
    return original(operation, ...others);
  });
  return import('./product.js');
}

describe.each(['ours', 'TensorFlow’s'])('a product of %s', (whose) => {
  const functions = () => functionsOf(whose);

  it.each(transpositions)('is what double precision gives, transposed: %s', async (transposed) => {
    const { matMul } = await functions();
    for (const [rows, depth, columns] of [
      [1, 1, 1],
      [5, 7, 3],
      [67, 300, 35],
      [14, 1025, 130],
    ] as const) {
      const [a, b] = shapes(rows, depth, columns, transposed).map((shape, i) => normal(i + 1, ...shape)) as [
        tf.Tensor,
        tf.Tensor,
      ];
      const { sums, sizes } = exact(a, b, transposed);
      const y = matMul(a, b, transposed);
      expect(y.shape).toEqual([rows, columns]);
      const worst = Math.max(...[...y.dataSync()].map((value, i) => Math.abs(value - sums[i]!) / sizes[i]!));
      expect(worst).toBeLessThan(1e-6);
    }
  });

  it.each(transpositions)('takes batches of matrices, transposed: %s', async (transposed) => {
    const { matMul } = await functions();
    const [a, b] = shapes(9, 20, 11, transposed).map((shape, i) => normal(i + 1, 2, 3, ...shape)) as [
      tf.Tensor,
      tf.Tensor,
    ];
    const one = (x: tf.Tensor, i: number) =>
      tf.reshape(tf.slice(tf.reshape(x, [6, ...x.shape.slice(2)]), [i, 0, 0], [1, -1, -1]), x.shape.slice(2));
    const y = matMul(a, b, transposed);
    expect(y.shape).toEqual([2, 3, 9, 11]);
    for (let i = 0; i < 6; i++)
      expectTensorClose(one(y, i), [...matMul(one(a, i), one(b, i), transposed).dataSync()], { atol: 1e-5 });
  });

  it.each([
    ['nothing', LINEAR, (x: tf.Tensor) => x],
    ['ReLU', RELU, (x: tf.Tensor) => tf.relu(x)],
    ['ReLU6', { slope: 0, most: 6 }, (x: tf.Tensor) => tf.relu6(x)],
    ['leaky ReLU', { slope: 0.25, most: Infinity }, (x: tf.Tensor) => tf.leakyRelu(x, 0.25)],
  ])('adds a bias, and then %s', async (_, activation, apply) => {
    const { matMul, matMulWithBias } = await functions();
    const [a, b, bias] = [normal(1, 30, 300), normal(2, 300, 19), normal(3, 19)];
    const sum = tf.add(matMul(a, b), bias);
    expect(matMulWithBias(a, b, bias, activation).dataSync()).toEqual(apply(sum).dataSync());
  });

  it('loses nothing that is not finite', async () => {
    const { matMul, matMulWithBias } = await functions();
    const at = (x: tf.Tensor, index: number, value: number) => {
      const values = x.dataSync().slice();
      values[index] = value;
      return tf.tensor(values, x.shape);
    };
    const plain = normal(1, 13, 40);
    const [b, bias] = [tf.abs(normal(2, 40, 17)), tf.zeros([17])];
    for (const value of [NaN, Infinity, -Infinity]) {
      const y = matMul(at(plain, 203, value), b).dataSync();
      const broken = [...y.keys()].filter((i) => !Number.isFinite(y[i]));
      expect(broken).toEqual(Array.from({ length: 17 }, (_, column) => 5 * 17 + column));
    }
    expect(matMul(at(plain, 203, NaN), b).dataSync()[5 * 17]).toBeNaN();
    expect(matMulWithBias(at(plain, 203, NaN), b, bias, RELU).dataSync()[5 * 17]).toBeNaN();
    expect(matMulWithBias(at(plain, 203, Infinity), b, bias, RELU).dataSync()[5 * 17]).toBe(Infinity);
    expect(matMul(at(plain, 203, -Infinity), b).dataSync()[5 * 17]).toBe(-Infinity);
  });
});

describe.each(['ours', 'TensorFlow’s'])('a product in bfloat16, %s', (whose) => {
  /** TensorFlow's result is rounded too. */
  const tolerance = whose === 'ours' ? 1e-6 : 4e-3;
  const isThere = () => (whose === 'ours' ? expected.ownBfloat16() : expected.oneDnnBfloat16());
  const large = (transposed: Transposed) =>
    shapes(203, 301, 75, transposed).map((shape, i) => normal(i + 1, ...shape)) as [tf.Tensor, tf.Tensor];

  it.each(transpositions)('is that of its rounded sides, transposed: %s', async (transposed) => {
    if (!isThere()) return;
    const { matMul } = await functionsOf(whose);
    const [a, b] = large(transposed);
    const { sums, sizes } = exact(rounded(a), rounded(b), transposed);
    const y = matMul(a, b, transposed, 'bfloat16').dataSync();
    const worst = Math.max(...sums.map((sum, i) => Math.abs(y[i]! - sum) / sizes[i]!));
    expect(worst).toBeLessThan(tolerance);
    expect(y).not.toEqual(matMul(a, b, transposed).dataSync());
  });

  it('adds bias and activation', async () => {
    if (!isThere()) return;
    const { matMul, matMulWithBias } = await functionsOf(whose);
    const [a, b] = large('none');
    const bias = normal(3, 75);
    expect(matMulWithBias(a, b, bias, RELU, 'bfloat16').dataSync()).toEqual(
      tf.relu(tf.add(matMul(a, b, 'none', 'bfloat16'), bias)).dataSync(),
    );
  });

  it('keeps what is not a number in its row', async () => {
    if (!isThere()) return;
    const { matMul } = await functionsOf(whose);
    const [a, b] = large('none');
    const values = a.dataSync().slice();
    values[5 * 301 + 7] = NaN;
    const y = matMul(tf.tensor(values, a.shape), b, 'none', 'bfloat16').dataSync();
    const broken = [...y.keys()].filter((i) => Number.isNaN(y[i]));
    expect(broken).toEqual(Array.from({ length: 75 }, (_, column) => 5 * 75 + column));
  });

  it('of few multiplications is not rounded', async () => {
    const { matMul } = await functionsOf(whose);
    const [a, b] = [normal(1, 16, 512), normal(2, 512, 6)];
    expect(matMul(a, b, 'none', 'bfloat16').dataSync()).toEqual(matMul(a, b).dataSync());
  });
});

it('uses our operations where they are installed', () => {
  const spy = vi.spyOn(tensorflow(), 'executeSingleOutput');
  matMul(normal(1, 2, 3), normal(2, 3, 2));
  expect(spy.mock.calls.at(-1)![0]).toBe(expected.winograd() ? 'G2dV2MatMul' : 'MatMul');
});

describe('a linear layer', () => {
  it('has gradients that agree with central differences', () => {
    const [x, kernel, bias] = [normal(1, 4, 3), normal(2, 3, 5), normal(3, 5)];
    gradCheck((a, w) => linear(a, w), [x, kernel]);
    gradCheck((a, w, b) => linear(a, w, b), [x, kernel, bias]);
    // Far from the kink: half of the units are closed.
    const far = tf.mul(tf.tensor1d([1, -1, 1, -1, 1]), 20);
    gradCheck((a, w, b) => linear(a, w, tf.add(b, far), RELU), [x, kernel, bias]);
  });

  it('leaves nothing behind', () => {
    const [x, kernel, bias, dy] = [normal(1, 4, 3), normal(2, 3, 5), normal(3, 5), normal(4, 4, 5)];
    expectNoLeak(() => tf.grads((a, w, b) => linear(a, w, b, RELU))([x, kernel, bias], dy));
  });
});
