import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { accelerate } from '../accelerate.js';
import { registerTrainingKernels } from '../kernels/register.js';
import { type RandomStream } from '@g2d/core';
import { randomStream } from '@g2d/tensor-ops';
import { TENSORFLOW } from '@g2d/tensor-ops/tensorflow';
import { float32Resolution } from '@g2d/tensor-ops/testing';

const { layers } = tf;
type Symbolic = tf.SymbolicTensor;

const apply = (layer: tf.layers.Layer, ...inputs: Symbolic[]): Symbolic =>
  layer.apply(inputs.length === 1 ? inputs[0]! : inputs) as Symbolic;

const pick = <T>(random: RandomStream, values: readonly T[]): T => values[random.integer(values.length)]!;

/** Layers for images `[B, H, W, C]`, each with options that the fast kernels know and options that they do not. */
const imageLayers: ((x: Symbolic, random: RandomStream) => Symbolic)[] = [
  (x, random) =>
    apply(
      layers.conv2d({
        filters: pick(random, [2, 3]),
        kernelSize: pick<number | [number, number]>(random, [1, 2, 3, [3, 1]]),
        strides: pick<number | [number, number]>(random, [1, 1, 2, [1, 2]]),
        padding: pick(random, ['valid', 'same'] as const),
        useBias: random.uniform() < 0.5,
        biasInitializer: 'randomNormal',
        activation: pick(random, ['linear', 'relu', 'relu6', 'tanh'] as const),
      }),
      x,
    ),
  (x, random) =>
    apply(
      layers.zeroPadding2d({
        padding: pick(random, [
          1,
          [
            [2, 2],
            [1, 1],
          ],
          [
            [0, 1],
            [2, 0],
          ],
          0,
        ]) as number,
      }),
      x,
    ),
  (x, random) => apply(layers.batchNormalization({ axis: -1, momentum: pick(random, [0.9, 0.5]) }), x),
  (x, random) => apply(layers.activation({ activation: pick(random, ['relu', 'relu6', 'elu']) }), x),
  (x, random) => apply(layers.leakyReLU({ alpha: pick(random, [0.1, 0]) }), x),
  (x, random) => apply(layers.reLU(pick(random, [{}, { maxValue: 1 }])), x),
  (x, random) =>
    apply(
      layers.maxPooling2d({
        poolSize: pick<number | [number, number]>(random, [2, [2, 1]]) as number,
        strides: pick(random, [1, 2]),
        padding: pick(random, ['valid', 'same'] as const),
      }),
      x,
    ),
  (x) => apply(layers.averagePooling2d({ poolSize: 2, strides: 1 }), x),
  (x, random) =>
    apply(
      layers.depthwiseConv2d({
        kernelSize: pick(random, [2, 3, 3]),
        strides: pick<number | [number, number]>(random, [1, 1, 2]) as number,
        padding: pick(random, ['valid', 'same'] as const),
        depthMultiplier: pick(random, [1, 1, 2]),
        useBias: random.uniform() < 0.5,
        activation: pick(random, ['linear', 'relu6', 'tanh'] as const),
      }),
      x,
    ),
  // As MobileNets put it: normalized, and bent at both ends.
  (x, random) =>
    apply(
      layers.reLU({ maxValue: 6 }),
      apply(
        layers.batchNormalization({}),
        apply(
          layers.depthwiseConv2d({ kernelSize: 3, strides: pick(random, [1, 2]), useBias: false }),
          apply(layers.zeroPadding2d({ padding: 1 }), x),
        ),
      ),
    ),
  (x) => apply(layers.layerNormalization({ axis: -1 }), x),
  (x) => apply(layers.dense({ units: 3, activation: 'relu' }), x),
  // A residual: one value with two consumers.
  (x, random) => {
    const convolved = apply(
      layers.conv2d({ filters: x.shape[3]!, kernelSize: 3, padding: 'same', useBias: false }),
      x,
    );
    const inner = apply(layers.batchNormalization({}), convolved);
    const sum = apply(layers.add(), ...(random.uniform() < 0.5 ? [x, inner] : [inner, x]));
    const last = pick(random, [
      layers.reLU(),
      layers.reLU({ maxValue: 6 }),
      layers.leakyReLU({ alpha: 0.2 }),
      null,
    ]);
    return last ? apply(last, sum) : sum;
  },
  // A sum that is normalized, of two values or of one with itself.
  (x, random) => {
    const own = apply(layers.dense({ units: x.shape[3]! }), x);
    const sum = apply(
      layers.add(),
      ...pick(random, [
        [x, own],
        [own, x],
        [x, x],
      ] as const),
    );
    const normalized = apply(layers.layerNormalization({ axis: -1 }), sum);
    return random.uniform() < 0.7 ? normalized : apply(layers.concatenate(), sum, normalized);
  },
  (x) => apply(layers.concatenate({ axis: -1 }), x, apply(layers.activation({ activation: 'tanh' }), x)),
  // The same value twice into one layer.
  (x) => apply(layers.activation({ activation: 'relu' }), apply(layers.add(), x, x)),
  // A model as a layer.
  (x) => {
    const inputs = tf.input({ shape: x.shape.slice(1) });
    const hidden = apply(layers.conv2d({ filters: 2, kernelSize: 1 }), inputs);
    return apply(tf.model({ inputs, outputs: apply(layers.reLU(), hidden) }), x);
  },
  // Channels into rows and back.
  (x) => {
    const [, height, width, channels] = x.shape as number[];
    const rows = apply(layers.reshape({ targetShape: [height! * width!, channels!] }), x);
    const mixed = apply(layers.conv1d({ filters: 2, kernelSize: 1 }), rows);
    const normalized = apply(layers.batchNormalization({}), mixed);
    return apply(layers.reshape({ targetShape: [height!, width!, 2] }), normalized);
  },
  // Every row as a frame: windows of TimeDistributed layers.
  (x) => {
    const [, height, width, channels] = x.shape as number[];
    const frames = apply(layers.reshape({ targetShape: [height!, width!, 1, channels!] }), x);
    const convolved = apply(
      layers.timeDistributed({
        layer: layers.conv2d({ filters: 2, kernelSize: [3, 1], padding: 'same', useBias: false }),
      }),
      frames,
    );
    return apply(layers.reshape({ targetShape: [height!, width!, 2] }), convolved);
  },
];

const SIZE = 9;

function randomModel(seed: number): tf.LayersModel {
  const random = randomStream(seed);
  const inputs = tf.input({ shape: [SIZE, SIZE, 2] });
  // A layer with weights before everything, so that the gradient of what follows counts too.
  let x = apply(layers.conv2d({ filters: 2, kernelSize: 1 }), inputs);
  const values = [x];
  const depth = 3 + random.integer(6);
  for (let i = 0; i < depth; i++) {
    const [, height, width] = x.shape as number[];
    if (Math.min(height!, width!) < 4) break;
    x = pick(random, imageLayers)(x, random);
    values.push(x);
  }
  const pooled = apply(random.uniform() < 0.5 ? layers.globalAveragePooling2d({}) : layers.flatten(), x);
  const outputs = [
    apply(layers.dense({ units: 3, activation: pick(random, ['linear', 'softmax']) }), pooled),
  ];
  // Sometimes a value in the middle is an output as well.
  if (random.uniform() < 0.3) outputs.push(pick(random, values));
  return tf.model({ inputs, outputs });
}

function setWeights(model: tf.LayersModel, seed: number, rounded = (values: Float32Array) => values): void {
  const random = randomStream(seed);
  for (const weight of model.weights) {
    const size = weight.shape.reduce<number>((product, axis) => product * (axis ?? 1), 1);
    const positive = /variance|gamma/.test(weight.originalName);
    const values = Float32Array.from({ length: size }, () =>
      positive ? 0.5 + random.uniform() : 0.4 * random.normal(),
    );
    const tensor = tf.tensor(rounded(values), weight.shape as number[]);
    weight.write(tensor);
    tensor.dispose();
  }
}

const parts = ['outputs', 'gradients', 'moving'] as const;

interface Result {
  readonly outputs: Float32Array[];
  readonly gradients: Float32Array[];
  readonly moving: Float32Array[];
}

function run(model: tf.LayersModel, training: boolean): Result {
  return tf.tidy(() => {
    const x = tf.tensor4d(
      Float32Array.from(
        { length: 3 * SIZE * SIZE * 2 },
        (_, i) => Math.sin(1.7 * i) + 0.3 * Math.cos(0.31 * i * i),
      ),
      [3, SIZE, SIZE, 2],
    );
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const outputs: Float32Array[] = [];
    const { grads } = tf.variableGrads(() => {
      const result = [model.apply(x, { training })].flat() as tf.Tensor[];
      outputs.push(...result.map((tensor) => tensor.dataSync().slice() as Float32Array));
      const parts = result.map((tensor, k) => {
        const weights = tf.tensor(
          Float32Array.from({ length: tensor.size }, (_, i) => Math.cos(i + k)),
          tensor.shape,
        );
        return tf.sum(tf.mul(tf.square(tensor), weights));
      });
      return tf.addN(parts) as tf.Scalar;
    }, variables);
    const statistics = model.weights.filter(({ originalName }) => originalName.includes('moving_mean'));
    return {
      outputs,
      gradients: variables.map(
        ({ name, size }) => (grads[name]?.dataSync().slice() ?? new Float32Array(size)) as Float32Array,
      ),
      moving: statistics.map((weight) => weight.read().dataSync().slice() as Float32Array),
    };
  });
}

const largest = (values: Float32Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/**
 * Largest difference in units of the largest value; of a tensor that is all but 0 beside the others (the gradient of
 * a bias before batch normalization is rounding), of a hundredth of theirs.
 */
function worst(actual: readonly Float32Array[], expected: readonly Float32Array[]): number {
  const floor = Math.max(...expected.map(largest), 1e-6) / 100;
  return Math.max(
    0,
    ...expected.map((values, k) => {
      const differences = values.map((value, i) => actual[k]![i]! - value);
      return largest(differences) / Math.max(largest(values), floor);
    }),
  );
}

describe('accelerated models of random topology', () => {
  for (const backend of [TENSORFLOW, 'wasm', 'cpu'] as const)
    describe(`on ${backend}`, () => {
      beforeAll(async () => {
        await loadTensorFlow({ backend, quiet: true });
        // The plain layers' gradients on wasm, too.
        registerTrainingKernels();
      });
      for (let seed = 1; seed <= (backend === 'cpu' ? 6 : 60); seed++) {
        it(`equal plain layers, gradients included: ${seed}`, () => {
          const plain = randomModel(seed);
          const fast = accelerate(randomModel(seed));
          const before = tf.memory().numTensors;
          for (const training of [true, false]) {
            setWeights(plain, seed);
            setWeights(fast, seed);
            const [expected, actual] = [run(plain, training), run(fast, training)];
            const resolution = float32Resolution((rounded) => {
              setWeights(plain, seed, rounded);
              const result = run(plain, training);
              return parts.map((part) => worst(result[part], expected[part]));
            });
            parts.forEach((part, i) => {
              const lengths = (arrays: readonly Float32Array[]) => arrays.map(({ length }) => length);
              expect(lengths(actual[part])).toEqual(lengths(expected[part]));
              const allowed = Math.max(1e-5, 10 * resolution[i]!);
              expect(worst(actual[part], expected[part]), part).toBeLessThan(allowed);
            });
          }
          expect(tf.memory().numTensors).toBe(before);
          plain.dispose();
          fast.dispose();
        });
      }
    });
});
