import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { expected } from '../../test/expected.js';
import { normal } from '../../test/normal.js';
import { expectNoLeak, gradCheck } from '@g2d/tensor-ops/testing';
import { conv2d, conv2dWithBias } from './conv2d.js';
import { registerTrainingKernels } from './register.js';
import { tensorflow } from '@g2d/tensor-ops/tensorflow';
import { isWinograd } from './winograd.js';

const sampleShape = [16, 8, 8, 32] as const;
const sampleFilter = [3, 3, 32, 64] as const;
const window = { strides: [1, 1], padding: [1, 1] } as const;

let present: boolean;
beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  registerTrainingKernels();
  present = expected.winograd();
  expect(isWinograd(sampleShape, sampleFilter, window, 'float32')).toBe(present);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Names of the operations of ours that `body` runs. */
function operationsIn(body: () => unknown): string[] {
  const spy = vi.spyOn(tensorflow(), 'executeSingleOutput');
  tf.dispose(tf.tidy(() => body() as tf.TensorContainer));
  const names = spy.mock.calls.map(([name]) => name);
  spy.mockRestore();
  return names.filter((name) => name.startsWith('G2dV'));
}

/** The largest difference, as a part of the largest value. */
const deviation = (actual: tf.Tensor, expected: tf.Tensor): number =>
  tf.tidy(() => {
    expect(actual.shape).toEqual(expected.shape);
    const difference = tf.max(tf.abs(tf.sub(actual, expected)));
    return tf.div(difference, tf.max(tf.abs(expected))).dataSync()[0] as number;
  });

/** The definition, by TensorFlow's own convolution. */
const plain = (x: tf.Tensor, filter: tf.Tensor, [vertical, horizontal]: readonly [number, number]) => {
  const padded = tf.pad(x, [
    [0, 0],
    [vertical, vertical],
    [horizontal, horizontal],
    [0, 0],
  ]);
  return tf.conv2d(padded as tf.Tensor4D, filter as tf.Tensor4D, 1, 'valid');
};

describe('a convolution of 3 × 3 taps', () => {
  it('is computed by the operations of @g2d/native, where they are', () => {
    const [x, filter] = [normal(1, ...sampleShape), normal(2, ...sampleFilter)];
    const convolve = (a: tf.Tensor, w: tf.Tensor) => conv2d(a, w, window);
    const dy = normal(3, 16, 8, 8, 64);
    expect(operationsIn(() => tf.grads(convolve)([x, filter], dy))).toEqual(
      present ? ['', 'BackpropInput', 'BackpropFilter'].map((name) => `G2dV1Conv3x3${name}`) : [],
    );
    // Only what is asked for.
    expect(operationsIn(() => tf.grad((w) => convolve(x, w))(filter, dy))).toEqual(
      present ? ['', 'BackpropFilter'].map((name) => `G2dV1Conv3x3${name}`) : [],
    );
    expect(operationsIn(() => conv2dWithBias(x, filter, normal(4, 64), window, 'float32'))).toEqual(
      present ? ['G2dV1Conv3x3WithBias'] : [],
    );
  });

  const shapes: [image: number[], filters: number, padding: [number, number]][] = [
    [[16, 8, 8, 32], 64, [1, 1]],
    // Odd sizes: tiles that are cut off. More channels than one block, and a block that is not full.
    [[5, 13, 11, 96], 160, [1, 1]],
    [[3, 33, 7, 64], 32, [1, 1]],
    // So many channels that more tiles are computed at once.
    [[16, 7, 7, 512], 512, [1, 1]],
    [[2, 16, 21, 128], 64, [0, 2]],
    [[4, 11, 14, 64], 64, [2, 0]],
    [[40, 7, 7, 256], 32, [0, 0]],
    // Two rows of outputs, and images of one row.
    [[40, 4, 9, 32], 32, [0, 1]],
    [[40, 1, 12, 32], 32, [2, 1]],
    // Enough tiles for several sums of the filter's gradient, the last one short.
    [[7, 31, 29, 64], 64, [1, 1]],
  ];
  it.each(shapes)(
    'of %j with %i filters and padding %j equals plain TensorFlow.js',
    (image, filters, padding) => {
      const [x, filter] = [normal(1, ...image), normal(2, 3, 3, image[3]!, filters)];
      const bias = normal(3, filters);
      const options = { strides: [1, 1], padding } as const;
      expect(isWinograd(x.shape, filter.shape, options, 'float32')).toBe(present);
      const convolved = plain(x, filter, padding);
      const dy = normal(4, ...convolved.shape);
      const actual = [
        conv2d(x, filter, options),
        conv2dWithBias(x, filter, bias, options, 'float32'),
        ...tf.grads((a, w) => conv2d(a, w, options))([x, filter], dy),
      ];
      const wanted = [
        convolved,
        tf.add(convolved, bias),
        ...tf.grads((a, w) => plain(a, w, padding))([x, filter], dy),
      ];
      wanted.forEach((tensor, i) => expect(deviation(actual[i]!, tensor), `result ${i}`).toBeLessThan(5e-6));
    },
  );

  it('is as exact as TensorFlow’s own', () => {
    const [x, filter] = [normal(1, ...sampleShape), normal(2, ...sampleFilter)];
    const [a, w] = [x.dataSync(), filter.dataSync()];
    const exact = (batch: number, row: number, column: number, output: number): number => {
      let sum = 0;
      for (let i = 0; i < 3; i++)
        for (let j = 0; j < 3; j++) {
          const [h, v] = [row + i - 1, column + j - 1];
          if (h < 0 || h > 7 || v < 0 || v > 7) continue;
          for (let c = 0; c < 32; c++)
            sum += a[((batch * 8 + h) * 8 + v) * 32 + c]! * w[((i * 3 + j) * 32 + c) * 64 + output]!;
        }
      return sum;
    };
    const errors = [conv2d(x, filter, window), plain(x, filter, [1, 1])].map((y) => {
      const values = y.dataSync();
      let squares = 0;
      for (let i = 0; i < values.length; i += 7) {
        const [output, place] = [i % 64, Math.floor(i / 64)];
        const sum = exact(Math.floor(place / 64), Math.floor(place / 8) % 8, place % 8, output);
        squares += (values[i]! - sum) ** 2;
      }
      return Math.sqrt(squares);
    });
    expect(errors[0]! / errors[1]!).toBeLessThan(1.5);
  });

  it('has gradients that agree with central differences', () => {
    // Every element of the small inputs reaches all channels.
    const spread = normal(3, 1, 32);
    const mix = normal(4, 1, 32 * 32);
    expect(isWinograd([2, 12, 12, 32], [3, 3, 32, 32], window, 'float32')).toBe(present);
    gradCheck(
      (x, w) => {
        const image = tf.reshape(tf.matMul(tf.reshape(x, [-1, 1]), spread), [2, 12, 12, 32]);
        const filter = tf.reshape(tf.matMul(tf.reshape(w, [-1, 1]), mix), [3, 3, 32, 32]);
        return conv2d(image, tf.mul(filter, 1 / 16), window);
      },
      [normal(1, 2, 12, 12, 1), normal(2, 3, 3)],
      { tolerance: 2e-4 },
    );
  });

  it('leaves nothing behind', () => {
    const [x, filter] = [normal(1, ...sampleShape), normal(2, ...sampleFilter)];
    const dy = normal(3, 16, 8, 8, 64);
    expectNoLeak(() => tf.grads((a, w) => conv2d(a, w, window))([x, filter], dy));
  });

  it('gives the same bits again', () => {
    const [x, filter] = [normal(1, 16, 15, 15, 64), normal(2, 3, 3, 64, 64)];
    const run = () =>
      tf
        .grads((a, w) => conv2d(a, w, window))([x, filter], normal(3, 16, 15, 15, 64))
        .map((gradient) => gradient.dataSync());
    expect(run()).toEqual(run());
  });

  it.each([
    // 4 tiles of 2 × 2 outputs each, and 25 of 4 × 4: parts of every remainder by the rows that are multiplied at once.
    { images: 40, height: 4, width: 4, channels: 64 },
    { images: 12, height: 19, width: 17, channels: 32 },
  ])('computes an image of $height × $width as it would alone, whatever the batch is cut into', (shape) => {
    // TensorFlow's own has other sums for other batches.
    if (!present) return;
    const { images, height, width, channels } = shape;
    const [x, filter] = [normal(1, images, height, width, channels), normal(2, 3, 3, channels, channels)];
    const dy = normal(3, images, height, width, channels);
    const gradient = tf.grad((image) => conv2d(image, filter, window));
    const bits = (some: tf.Tensor, dys: tf.Tensor) =>
      tf.tidy(() => [conv2d(some, filter, window), gradient(some, dys)].map((y) => y.dataSync()));
    const all = bits(x, dy);
    for (let count = images - 1; count > 0; count--) {
      const size: [number, ...number[]] = [count, height, width, channels];
      if (!isWinograd(size, filter.shape, window, 'float32')) break;
      const begin = [0, 0, 0, 0];
      const some = bits(tf.slice(x, begin, size), tf.slice(dy, begin, size));
      some.forEach((values, i) =>
        expect(values, `${count} images`).toEqual(all[i]!.subarray(0, values.length)),
      );
    }
  });
});

describe('isWinograd', () => {
  const changed = (
    change: {
      image?: readonly number[];
      filter?: readonly number[];
      strides?: [number, number];
      padding?: [number, number];
      precision?: 'float32' | 'bfloat16';
    } = {},
  ) =>
    isWinograd(
      change.image ?? sampleShape,
      change.filter ?? sampleFilter,
      { strides: change.strides ?? [1, 1], padding: change.padding ?? [1, 1] },
      change.precision ?? 'float32',
    );

  it.each<[string, Parameters<typeof changed>[0]]>([
    ['other windows', { filter: [1, 3, 32, 64] }],
    ['wider windows', { filter: [3, 5, 32, 64] }],
    ['a stride', { strides: [1, 2] }],
    ['more padding than the operation takes', { padding: [1, 3] }],
    ['channels that fill no vector', { filter: [3, 3, 16, 64] }],
    ['filters that fill no vector', { filter: [3, 3, 32, 10] }],
    ['very many channels', { filter: [3, 3, 32, 2048] }],
    ['bfloat16', { precision: 'bfloat16' }],
    ['few outputs, for which transforming the taps is not worth it', { image: [1, 8, 8, 32] }],
    ['outputs that fill a small part of their tiles', { image: [400, 1, 1, 32] }],
    ['what is smaller than the window', { image: [200, 1, 1, 32], padding: [0, 0] }],
  ])('leaves %s to TensorFlow', (_, change) => {
    expect(changed(change)).toBe(false);
  });

  it('asks whether the operation is there', async () => {
    vi.resetModules();
    vi.spyOn(tensorflow(), 'executeSingleOutput').mockImplementation((operation) => {
      throw new Error(`Op type not registered '${operation}'`);
    });
    const fresh = await import('./winograd.js');
    expect(fresh.isWinograd(sampleShape, sampleFilter, window, 'float32')).toBe(false);
  });
});
