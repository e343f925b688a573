// What is not finite stays so on the way through every fused kernel, as through the plain layers: of a number that became finite nobody
// would hear again.
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { expected as expectedHere } from '../../test/expected.js';
import { normal } from '../../test/normal.js';
import { accelerate } from '../accelerate.js';
import { freeze } from '../freeze.js';

const { layers } = tf;
type Symbolic = tf.SymbolicTensor;

/** Maximum pooling without padding that keeps NaN, as PyTorch's does and TensorFlow.js's on no backend. */
class KeepingMaxPool extends tf.layers.Layer {
  static className = 'KeepingMaxPool';
  constructor(
    readonly size: number,
    readonly stride: number,
  ) {
    super({});
  }
  override computeOutputShape([batch, height, width, channels]: number[]): tf.Shape {
    const out = (length: number): number => Math.floor((length - this.size) / this.stride) + 1;
    return [batch as number, out(height as number), out(width as number), channels as number];
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = (Array.isArray(inputs) ? inputs : [inputs]) as [tf.Tensor];
    return tf.customGrad((image) => {
      const { values, places, shape } = this.winners(image as tf.Tensor);
      const gradFunc = (dy: tf.Tensor): tf.Tensor => {
        const dx = new Float32Array((image as tf.Tensor).size);
        dy.dataSync().forEach((value, i) => (dx[places[i] as number]! += value));
        return tf.tensor(dx, (image as tf.Tensor).shape);
      };
      return { value: tf.tensor(values, shape), gradFunc };
    })(x);
  }
  private winners(x: tf.Tensor): { values: number[]; places: number[]; shape: number[] } {
    const [, height, width, channels] = x.shape as [number, number, number, number];
    const shape = this.computeOutputShape(x.shape) as [number, number, number, number];
    const data = x.dataSync();
    const places = Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => {
      const [image = 0, row = 0, column = 0, channel = 0] = tf.util.indexToLoc(
        i,
        4,
        tf.util.computeStrides(shape),
      );
      const taps = Array.from({ length: this.size ** 2 }, (_, tap) => {
        const y = row * this.stride + Math.floor(tap / this.size);
        return ((image * height + y) * width + column * this.stride + (tap % this.size)) * channels + channel;
      });
      return (
        taps.find((place) => Number.isNaN(data[place])) ??
        taps.reduce((best, place) => (data[place]! > data[best]! ? place : best))
      );
    });
    return { values: places.map((place) => data[place] as number), places, shape };
  }
}

const chain = (x: Symbolic, ...steps: tf.layers.Layer[]): Symbolic =>
  steps.reduce((value, layer) => layer.apply(value) as Symbolic, x);

interface Case {
  readonly shape: readonly number[];
  /** The network from its input on. */
  readonly build: (x: Symbolic, pool: (size: number, stride: number) => tf.layers.Layer) => Symbolic;
  /**
   * What a value that is not finite may do beside what it does in plain layers. `'gradients'`: who wins a window of maximum pooling
   * and takes its gradient is settled among numbers only. `'neighbours'`: Winograd's convolution makes NaN of whatever shares a tile
   * with it, and NaN of infinities.
   */
  readonly differs?: 'gradients' | 'neighbours';
}

const IMAGE = [6, 7, 3];
const conv = (options: object = {}) => layers.conv2d({ filters: 4, kernelSize: 3, ...options });
const relu = () => layers.activation({ activation: 'relu' });
const bn = (options: object = {}) => layers.batchNormalization(options);

/** Every fused kernel, by what it is fused of. */
const CASES: Readonly<Record<string, Case>> = {
  relu: { shape: IMAGE, build: (x) => chain(x, layers.reLU()) },
  'relu of rows': { shape: [9], build: (x) => chain(x, relu()) },
  relu6: { shape: IMAGE, build: (x) => chain(x, layers.reLU({ maxValue: 6 })) },
  'leaky relu': { shape: IMAGE, build: (x) => chain(x, layers.leakyReLU({ alpha: 0.25 })) },
  'batch norm, relu6': { shape: IMAGE, build: (x) => chain(x, bn(), layers.reLU({ maxValue: 6 })) },
  'batch norm, leaky relu': { shape: IMAGE, build: (x) => chain(x, bn(), layers.leakyReLU({ alpha: 0.25 })) },
  'batch norm, sum': { shape: IMAGE, build: (x) => layers.add().apply([chain(x, bn()), x]) as Symbolic },
  'depthwise convolution, relu6': {
    shape: IMAGE,
    build: (x) => chain(x, layers.depthwiseConv2d({ kernelSize: 3, activation: 'relu6' })),
  },
  'padding, depthwise convolution, batch norm, relu6': {
    shape: IMAGE,
    build: (x) =>
      chain(
        x,
        layers.zeroPadding2d({ padding: 1 }),
        layers.depthwiseConv2d({ kernelSize: 3, strides: 2, useBias: false }),
        bn(),
        layers.reLU({ maxValue: 6 }),
      ),
  },
  convolution: { shape: IMAGE, build: (x) => chain(x, conv({ useBias: false })) },
  'convolution, bias, relu': {
    shape: IMAGE,
    build: (x) => chain(x, conv({ activation: 'relu', padding: 'same' })),
  },
  'padding, convolution with stride': {
    shape: IMAGE,
    build: (x) => chain(x, layers.zeroPadding2d({ padding: 1 }), conv({ strides: 2 })),
  },
  'convolution of frames': {
    shape: [2, 5, 5, 2],
    build: (x) => chain(x, layers.timeDistributed({ layer: conv() })),
  },
  'batch norm': { shape: IMAGE, build: (x) => chain(x, bn()) },
  'batch norm, relu': { shape: IMAGE, build: (x) => chain(x, bn(), relu()) },
  'batch norm of rows, relu': { shape: [5], build: (x) => chain(x, bn(), relu()) },
  'dense, batch norm, relu': { shape: [5], build: (x) => chain(x, layers.dense({ units: 6 }), bn(), relu()) },
  'convolution, batch norm, relu': {
    shape: IMAGE,
    build: (x) => chain(x, conv({ useBias: false, padding: 'same' }), bn(), relu()),
  },
  'batch norm, sum, relu': {
    shape: IMAGE,
    build: (x) => chain(layers.add().apply([chain(x, bn()), x]) as Symbolic, relu()),
  },
  'sum, relu': {
    shape: IMAGE,
    build: (x) =>
      chain(layers.add().apply([x, chain(x, conv({ filters: 3, padding: 'same' }))]) as Symbolic, relu()),
  },
  'batch norm, relu, pooling': {
    differs: 'gradients',
    shape: IMAGE,
    build: (x, pool) => chain(x, bn(), relu(), pool(3, 2)),
  },
  'batch norm, relu, padding, pooling': {
    differs: 'gradients',
    shape: IMAGE,
    build: (x, pool) => chain(x, bn(), relu(), layers.zeroPadding2d({ padding: 1 }), pool(3, 2)),
  },
  pooling: {
    differs: 'gradients',
    shape: IMAGE,
    build: (x, pool) => chain(x, pool(2, 2)),
  },
  'pooling of windows that overlap, wide': {
    differs: 'gradients',
    shape: [6, 7, 21],
    build: (x, pool) => chain(x, pool(3, 1)),
  },
  'relu, pooling': {
    differs: 'gradients',
    shape: IMAGE,
    build: (x, pool) => chain(x, relu(), pool(2, 2)),
  },
  'convolution, relu, pooling': {
    differs: 'gradients',
    shape: IMAGE,
    build: (x, pool) => chain(x, conv({ padding: 'same' }), relu(), pool(2, 2)),
  },
  'wide convolution, batch norm, relu': {
    differs: 'neighbours',
    shape: [12, 12, 32],
    build: (x) => chain(x, conv({ filters: 32, useBias: false, padding: 'same' }), bn(), relu()),
  },
  'wide convolution, bias, relu': {
    differs: 'neighbours',
    shape: [12, 12, 32],
    build: (x) => chain(x, conv({ filters: 32, activation: 'relu' })),
  },
  'global average': { shape: IMAGE, build: (x) => chain(x, layers.globalAveragePooling2d({})) },
  'dense, relu': { shape: [5], build: (x) => chain(x, layers.dense({ units: 4, activation: 'relu' })) },
  'dense of steps': { shape: [3, 5], build: (x) => chain(x, layers.dense({ units: 4 })) },
  'layer norm': { shape: [3, 5], build: (x) => chain(x, layers.layerNormalization()) },
  'sum, layer norm': {
    shape: [3, 5],
    build: (x) =>
      chain(
        layers.add().apply([x, chain(x, layers.dense({ units: 5 }))]) as Symbolic,
        layers.layerNormalization(),
      ),
  },
  'flatten, reshape': {
    shape: IMAGE,
    build: (x) => chain(x, layers.flatten(), layers.reshape({ targetShape: [18, 7] }), relu()),
  },
};

/** The same model, accelerated once. */
const accelerated = (model: tf.LayersModel): tf.LayersModel =>
  Object.hasOwn(model, 'call') ? model : accelerate(model);

function models({ shape, build }: Case): { fast: tf.LayersModel; plain: tf.LayersModel } {
  const make = (pool: (size: number, stride: number) => tf.layers.Layer): tf.LayersModel => {
    const inputs = tf.input({ shape: [...shape] });
    const made = tf.model({ inputs, outputs: build(inputs, pool) });
    made.weights.forEach((weight, i) => {
      const values = normal(i + 1, ...(weight.shape as number[]));
      const positive = /variance|gamma/.test(weight.originalName);
      weight.write(positive ? tf.add(tf.abs(values), 0.5) : values);
    });
    return made;
  };
  const plain = make((size, stride) => new KeepingMaxPool(size, stride));
  return { fast: make((poolSize, strides) => layers.maxPooling2d({ poolSize, strides })), plain };
}

/** Three samples; in the second one value, or all, are `bad`. */
function batch(shape: readonly number[], bad: number, all: boolean): tf.Tensor {
  const values = normal(40, 3, ...shape)
    .dataSync<'float32'>()
    .slice();
  const size = values.length / 3;
  if (all) values.fill(bad, size, 2 * size);
  else values[size + Math.floor(size / 2)] = bad;
  return tf.tensor(values, [3, ...shape]);
}

const kindOf = (value: number, exact: boolean): string =>
  Number.isFinite(value) ? 'finite' : exact ? String(value) : 'not finite';

interface Tolerance {
  readonly relative: number;
  readonly differs: Case['differs'];
}

/** What is wrong with a tensor, at most three places of it. */
function problems(actual: tf.Tensor, wanted: tf.Tensor, { relative, differs }: Tolerance): string[] {
  const [found, right] = [actual, wanted].map((tensor) => Array.from(tensor.dataSync())) as [
    number[],
    number[],
  ];
  const largest = right.reduce(
    (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
    1,
  );
  const isClose = (a: number, b: number): boolean =>
    !Number.isFinite(b) || (Number.isFinite(a) && Math.abs(a - b) <= relative * largest);
  const isWrong = (a: number, b: number): boolean => {
    if (differs === 'neighbours') return Number.isFinite(a) && (!Number.isFinite(b) || !isClose(a, b));
    return kindOf(a, true) !== kindOf(b, true) || !isClose(a, b);
  };
  const wrong = right.flatMap((value, i) =>
    isWrong(found[i] as number, value) ? [`[${i}] is ${found[i]} in place of ${value}`] : [],
  );
  return wrong.slice(0, 3);
}

/** y, dx and the gradients of all weights. */
function passes(model: tf.LayersModel, x: tf.Tensor, training: boolean): tf.Tensor[] {
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const run = (input: tf.Tensor): tf.Tensor => model.apply(input, { training }) as tf.Tensor;
  const y = run(x);
  const dy = normal(77, ...y.shape);
  const { grad } = tf.valueAndGrad(run)(x, dy);
  if (variables.length === 0) return [y, grad];
  const { grads } = tf.variableGrads(() => tf.sum(tf.mul(run(x), dy)) as tf.Scalar, variables);
  return [y, grad, ...variables.map(({ name }) => grads[name] as tf.Tensor)];
}

const isFinite = (tensor: tf.Tensor): boolean => tensor.dataSync().every(Number.isFinite);

const withoutKernels = process.env['G2D_KERNELS'] === 'off';
const backends = withoutKernels
  ? (['tensorflow', 'wasm'] as const)
  : (['tensorflow', 'wasm', 'cpu'] as const);

for (const backend of backends) {
  describe(`what is not finite, on ${backend}${withoutKernels ? ' without our kernels' : ''}`, () => {
    beforeAll(async () => {
      await loadTensorFlow({ backend, quiet: true });
    });
    const inputs = [
      [NaN, false],
      [NaN, true],
      [Infinity, false],
      [-Infinity, false],
      [-Infinity, true],
    ] as const;

    // Plain JavaScript is too slow for wide ones, and has no kernels of ours.
    const cases = Object.entries(CASES).filter(
      ([, { differs }]) => backend === 'tensorflow' || differs !== 'neighbours',
    );
    it.each(cases)('stays so in %s', (_, one) => {
      tf.tidy(() => {
        const found: Record<string, string[]> = {};
        const { differs } = one;
        const tolerance = { relative: 1e-4, differs };
        for (const [bad, all] of inputs) {
          // Others each time: training moves running statistics, of plain layers by the biased variance.
          const { fast, plain } = models(one);
          const x = batch(one.shape, bad, all);
          const note = (what: string, list: string[]) => {
            if (list.length > 0) found[`${what} of ${bad}${all ? ' everywhere' : ''}`] = list;
          };
          const frozen = freeze(fast);
          const wanted = passes(plain, x, false);
          note('frozen', problems(frozen.predict([x])[0]!, wanted[0]!, tolerance));
          frozen.dispose();
          const names = ['y', 'dx', ...plain.trainableWeights.map(({ originalName }) => originalName)];
          for (const training of [false, true]) {
            const right = training ? passes(plain, x, true) : wanted;
            const actual = passes(accelerated(fast), x, training);
            right.forEach((tensor, i) => {
              const what = `${training ? 'training' : 'inference'}: ${names[i]}`;
              if (i === 0 || differs !== 'gradients') note(what, problems(actual[i]!, tensor, tolerance));
              // Of the values that a gradient is summed of, one is not finite in either.
              else if (
                Number.isNaN(bad) &&
                backend === 'tensorflow' &&
                !isFinite(tensor) &&
                isFinite(actual[i]!)
              )
                note(what, ['finite']);
            });
          }
        }
        expect(found).toEqual({});
      });
    });

    it('stays so in bfloat16', () => {
      if (backend !== 'tensorflow' || !expectedHere.bfloat16()) return;
      tf.tidy(() => {
        for (const name of ['convolution', 'convolution, bias, relu', 'convolution, batch norm, relu']) {
          const one = CASES[name] as Case;
          for (const [bad, all] of inputs) {
            const { fast, plain } = models(one);
            const x = batch(one.shape, bad, all);
            const wanted = plain.apply(x) as tf.Tensor;
            const rough = { relative: 3e-2, differs: undefined };
            const frozen = freeze(fast, { precision: 'bfloat16' });
            expect(problems(frozen.predict([x])[0]!, wanted, rough)).toEqual([]);
            frozen.dispose();
            const accelerated = accelerate(fast, { precision: 'bfloat16' });
            const [y, dx] = passes(accelerated, x, false) as [tf.Tensor, tf.Tensor];
            expect(problems(y, wanted, rough)).toEqual([]);
            expect(isFinite(dx)).toBe(isFinite(passes(plain, x, false)[1]!));
          }
        }
      });
    });
  });
}
