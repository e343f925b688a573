import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { expected } from '../../test/expected.js';
import { normal } from '../../test/normal.js';
import { rounded } from '../../test/rounded.js';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { tensorflow } from '@g2d/tensor-ops/tensorflow';
import { conv2d, conv2dWithBias } from './conv2d.js';
import { registerTrainingKernels } from './register.js';
import { isByTaps, isByWindows } from './taps.js';

type Pair = readonly [number, number];

beforeAll(async () => {
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
  registerTrainingKernels();
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Σ over taps of products in double precision. */
function exact(x: tf.Tensor, filter: tf.Tensor, strides: Pair, [top, left]: Pair): number[] {
  const [a, w] = [x.dataSync(), filter.dataSync()];
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const [h, v, , outputs] = filter.shape as [number, number, number, number];
  const rows = Math.floor((height + 2 * top - h) / strides[0]) + 1;
  const columns = Math.floor((width + 2 * left - v) / strides[1]) + 1;
  const y = Array.from({ length: batch * rows * columns * outputs }, () => 0);
  for (let place = 0; place < batch * rows * columns; place++) {
    const b = Math.floor(place / (rows * columns));
    const [row, column] = [Math.floor(place / columns) % rows, place % columns];
    for (let tap = 0; tap < h * v; tap++) {
      const i = row * strides[0] - top + Math.floor(tap / v);
      const j = column * strides[1] - left + (tap % v);
      if (i < 0 || i >= height || j < 0 || j >= width) continue;
      for (let c = 0; c < channels; c++)
        for (let k = 0; k < outputs; k++)
          y[place * outputs + k]! +=
            a[((b * height + i) * width + j) * channels + c]! * w[(tap * channels + c) * outputs + k]!;
    }
  }
  return y;
}

const cases: Record<
  string,
  { image: readonly number[]; filter: readonly number[]; strides: Pair; padding: Pair }
> = {
  'a map of one place, of which only the middle tap meets data': {
    image: [16, 1, 1, 64],
    filter: [3, 3, 64, 72],
    strides: [1, 1],
    padding: [1, 1],
  },
  'a map of 4 × 3': { image: [2, 4, 3, 65], filter: [3, 3, 65, 64], strides: [1, 1], padding: [1, 1] },
  'stride 2': { image: [2, 6, 7, 64], filter: [3, 3, 64, 64], strides: [2, 2], padding: [1, 1] },
  'a window of 1 × 1': { image: [3, 5, 5, 17], filter: [1, 1, 17, 35], strides: [1, 1], padding: [0, 0] },
  'a window of 1 × 1, stride 2': {
    image: [3, 5, 6, 40],
    filter: [1, 1, 40, 24],
    strides: [2, 2],
    padding: [0, 0],
  },
  'places that no window meets': {
    image: [2, 7, 8, 64],
    filter: [2, 1, 64, 64],
    strides: [3, 4],
    padding: [0, 0],
  },
  'another stride and padding on each axis': {
    image: [1, 5, 4, 64],
    filter: [3, 2, 64, 66],
    strides: [2, 1],
    padding: [0, 2],
  },
  'few channels, as the first layer of ResNet': {
    image: [2, 23, 28, 3],
    filter: [7, 7, 3, 64],
    strides: [2, 2],
    padding: [3, 3],
  },
  'few channels, as the first layer of MobileNet': {
    image: [3, 9, 40, 3],
    filter: [3, 3, 3, 32],
    strides: [2, 2],
    padding: [1, 1],
  },
  'one channel, and a window as large as the image': {
    image: [3, 5, 8, 1],
    filter: [5, 8, 1, 96],
    strides: [1, 3],
    padding: [0, 0],
  },
  'a long sum for each weight': {
    image: [3, 40, 40, 16],
    filter: [1, 1, 16, 18],
    strides: [1, 1],
    padding: [0, 0],
  },
};

describe.each(Object.entries(cases))(
  'convolution by taps: %s',
  (_, { image, filter: taps, strides, padding }) => {
    const window = { strides, padding };
    const [x, filter, bias] = [
      () => normal(1, ...image),
      () => normal(2, ...taps),
      () => normal(3, taps[3]!),
    ];

    it('is used where it is there', () => {
      const few = taps[2]! < 16;
      const [is, isNot] = few ? [isByWindows, isByTaps] : [isByTaps, isByWindows];
      expect(is(image, taps, window, 'float32')).toBe(expected.winograd());
      expect(isNot(image, taps, window, 'float32')).toBe(false);
    });

    it('is what double precision gives', () => {
      const [a, w, b] = [x(), filter(), bias()];
      const y = exact(a, w, strides, padding);
      expectTensorClose(conv2d(a, w, window), y, { atol: 3e-4 });
      const biases = b.dataSync();
      const sums = y.map((value, i) => value + biases[i % biases.length]!);
      expectTensorClose(conv2dWithBias(a, w, b, window, 'float32'), sums, { atol: 3e-4 });
    });

    it('has the gradients of a sum of products', () => {
      // ⟨dy, conv(x, w)⟩ is linear in x and in w: its gradients give ⟨dx, x'⟩ = ⟨dy, conv(x', w)⟩, and so for w.
      const [a, w] = [x(), filter()];
      const dy = normal(4, ...conv2d(a, w, window).shape);
      const [dx, dw] = tf.grads((p, q) => conv2d(p, q, window))([a, w], dy) as [tf.Tensor, tf.Tensor];
      const inner = (p: ArrayLike<number>, q: ArrayLike<number>) => {
        let [sum, size] = [0, 0];
        for (let i = 0; i < p.length; i++) {
          sum += p[i]! * q[i]!;
          size += (p[i]! * q[i]!) ** 2;
        }
        return { sum, size: Math.sqrt(size) };
      };
      for (const seed of [5, 6, 7]) {
        const [p, q] = [normal(seed, ...image), normal(seed + 10, ...taps)];
        for (const [gradient, along, y] of [
          [dx, p, exact(p, w, strides, padding)],
          [dw, q, exact(a, q, strides, padding)],
        ] as const) {
          const [own, wanted] = [inner(gradient.dataSync(), along.dataSync()), inner(dy.dataSync(), y)];
          expect(Math.abs(own.sum - wanted.sum)).toBeLessThan(1e-5 * wanted.size);
        }
      }
    });

    it('gives each gradient as TensorFlow’s own operations do', async () => {
      const [a, w] = [x(), filter()];
      const y = conv2d(a, w, window);
      const dy = normal(4, ...y.shape);
      const own = tf.grads((p, q) => conv2d(p, q, window))([a, w], dy);
      vi.resetModules();
      const original = tensorflow().executeSingleOutput.bind(tensorflow());
      vi.spyOn(tensorflow(), 'executeSingleOutput').mockImplementation((operation, ...others) => {
        if (operation.startsWith('G2dV')) throw new Error(`Op type not registered '${operation}'`);
        return original(operation, ...others);
      });
      const { convolve, convolutionGradients } = await import('./conv2d.js');
      const options = { ...window, precision: 'float32' } as const;
      const gradients = convolutionGradients(dy, a, w, options);
      expectTensorClose(y, [...convolve(a, w, options).dataSync()], { atol: 3e-4 });
      expectTensorClose(own[0]!, [...gradients.x().dataSync()], { atol: 3e-4 });
      expectTensorClose(own[1]!, [...gradients.filter().dataSync()], { atol: 1e-3 });
    });
  },
);

describe('convolution by taps in bfloat16', () => {
  it.each<[string, readonly number[], readonly number[], Pair, Pair]>([
    ['stride 2', [4, 15, 14, 70], [3, 3, 70, 97], [2, 2], [1, 1]],
    ['a window of 1 × 1', [4, 20, 21, 70], [1, 1, 70, 65], [1, 1], [0, 0]],
    ['a window of 1 × 1, stride 2', [4, 41, 40, 64], [1, 1, 64, 65], [2, 2], [0, 0]],
  ])('is that of its rounded sides, and so are its gradients: %s', (_, image, taps, strides, padding) => {
    if (!expected.ownBfloat16()) return;
    const window = { strides, padding };
    const [a, w, bias] = [normal(1, ...image), normal(2, ...taps), normal(3, taps[3]!)];
    const of = (precision: 'float32' | 'bfloat16') => (x: tf.Tensor, filter: tf.Tensor) =>
      conv2d(x, filter, window, precision);
    const y = of('bfloat16')(a, w);
    expectTensorClose(y, of('float32')(rounded(a), rounded(w)), { atol: 1e-4 });
    expect(y.dataSync()).not.toEqual(of('float32')(a, w).dataSync());
    expectTensorClose(conv2dWithBias(a, w, bias, window, 'bfloat16'), tf.add(y, bias), { atol: 1e-6 });
    const dy = normal(4, ...y.shape);
    const [dx, dw] = tf.grads(of('bfloat16'))([a, w], dy) as [tf.Tensor, tf.Tensor];
    const wanted = tf.grads(of('float32'))([rounded(a), rounded(w)], rounded(dy)) as [tf.Tensor, tf.Tensor];
    expectTensorClose(dx, wanted[0], { atol: 2e-4 });
    expectTensorClose(dw, wanted[1], { atol: 5e-4 });
  });

  it('is not rounded where there is little to multiply, nor by windows or transforms', () => {
    if (!expected.ownBfloat16()) return;
    for (const [image, taps, stride] of [
      [[1, 6, 6, 64], [3, 3, 64, 64], 2],
      [[4, 60, 60, 3], [7, 7, 3, 64], 2],
      [[4, 20, 20, 64], [3, 3, 64, 64], 1],
    ] as const) {
      const window = { strides: [stride, stride], padding: [1, 1] } as const;
      const [x, filter] = [normal(1, ...image), normal(2, ...taps)];
      expect(conv2d(x, filter, window, 'bfloat16').dataSync()).toEqual(conv2d(x, filter, window).dataSync());
    }
  });
});

it('loses nothing that is not finite, and multiplies nothing with the zeros around', () => {
  const window = { strides: [1, 1], padding: [1, 1] } as const;
  const x = normal(1, 2, 3, 3, 64);
  const filter = normal(2, 3, 3, 64, 64);
  const values = x.dataSync().slice();
  values[0] = NaN;
  const y = conv2d(tf.tensor(values, x.shape), filter, window).dataSync();
  // The corner of the first image, and the windows that meet it.
  const broken = [...y.keys()].filter((i) => Number.isNaN(y[i])).map((i) => Math.floor(i / 64));
  expect([...new Set(broken)]).toEqual([0, 1, 3, 4]);
  // TensorFlow's, where ours is not there, multiplies an infinite tap with the zeros.
  if (!expected.winograd()) return;
  const taps = filter.dataSync().slice();
  taps[0] = Infinity;
  const wide = conv2d(tf.abs(x), tf.tensor(taps, filter.shape), window).dataSync();
  const infinite = [...wide.keys()].filter((i) => !Number.isFinite(wide[i]));
  expect([...new Set(infinite.map((i) => Math.floor(i / 64)))]).toEqual([4, 5, 7, 8, 13, 14, 16, 17]);
  expect(infinite.every((i) => wide[i] === Infinity)).toBe(true);
});

it('leaves nothing behind', () => {
  const [x, filter] = [normal(1, 2, 4, 4, 64), normal(2, 3, 3, 64, 64)];
  const window = { strides: [2, 2], padding: [1, 1] } as const;
  const dy = normal(3, 2, 2, 2, 64);
  expectNoLeak(() => tf.grads((a, w) => conv2d(a, w, window))([x, filter], dy));
});

describe('isByTaps', () => {
  const changed = (
    image: readonly number[],
    filter: readonly number[],
    precision: 'float32' | 'bfloat16' = 'float32',
  ) => isByTaps(image, filter, { strides: [1, 1], padding: [0, 0] }, precision);
  it.each<[string, readonly number[], readonly number[]]>([
    ['few channels', [2, 8, 8, 3], [3, 3, 3, 64]],
    ['few outputs', [2, 8, 8, 64], [1, 1, 64, 10]],
    ['large windows', [2, 8, 8, 64], [7, 7, 64, 64]],
    ['no images', [0, 8, 8, 64], [1, 1, 64, 64]],
    ['what is smaller than the window', [2, 2, 8, 64], [3, 3, 64, 64]],
  ])('leaves %s to TensorFlow', (_, image, filter) => {
    expect(changed(image, filter)).toBe(false);
  });
  it('leaves bfloat16 to TensorFlow, where it is asked for it', () => {
    expect(changed([2, 8, 8, 64], [1, 1, 64, 64], 'bfloat16')).toBe(false);
  });
});
