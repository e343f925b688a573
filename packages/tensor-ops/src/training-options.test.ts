// Gradient clipping, weighted and smoothed cross-entropy, and the plateau schedule, against PyTorch.
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { clipGradientNorm, clipGradientValue } from './clip-gradients.js';
import { crossEntropy } from './cross-entropy.js';
import { NO_PLATEAU, reducedRate, watchPlateau, type PlateauOptions } from './schedules/reduce-on-plateau.js';
import { expectNoLeak, expectTensorClose } from './testing.js';

type Numbers = readonly number[];

/** Made by test/golden/training-options.py with PyTorch. */
const golden = JSON.parse(
  readFileSync(new URL('../test/golden/training-options.json', import.meta.url), 'utf8'),
) as {
  clipping: {
    shapes: number[][];
    gradients: (number[] | null)[];
    norm: Record<string, (Numbers | null)[]>;
    value: Record<string, (Numbers | null)[]>;
  };
  crossEntropy: {
    logits: number[][];
    labels: number[];
    cases: { classWeights: Numbers | null; labelSmoothing: number; loss: number; gradient: number[] }[];
  };
  plateau: {
    numbers: Numbers;
    base: Numbers;
    cases: { options: PlateauOptions & { factor?: number; min?: number }; rates: Numbers[] }[];
  };
};

beforeAll(async () => {
  await loadTensorFlow({ backend: 'wasm', quiet: true });
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

describe.each(['tensorflow', 'wasm', 'cpu'])('on the %s backend', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  const gradients = () =>
    golden.clipping.gradients.map((values, i) => ({
      name: `v${i}`,
      tensor: values && tf.tensor(values, golden.clipping.shapes[i]),
    }));
  const { norm, value } = golden.clipping;
  const cases = [
    ...Object.entries(norm).map(([limit, expected]) => ['Norm', Number(limit), expected] as const),
    ...Object.entries(value).map(([limit, expected]) => ['Value', Number(limit), expected] as const),
  ];

  it.each(cases)('clipGradient%s(%d) is PyTorch’s', (kind, limit, expected) => {
    const clip = kind === 'Norm' ? clipGradientNorm : clipGradientValue;
    const clipped = clip(gradients(), limit);
    expect(clipped.map(({ name }) => name)).toEqual(['v0', 'v1', 'v2']);
    expect(clipped[1]!.tensor).toBeNull();
    for (const i of [0, 2])
      expectTensorClose(clipped[i]!.tensor!, tf.tensor([...expected[i]!], golden.clipping.shapes[i]), {
        atol: 1e-6,
      });
  });

  it('refuses to shorten what is not finite', () => {
    const broken = [...gradients(), { name: 'broken', tensor: tf.tensor1d([1, NaN]) }];
    expect(() => clipGradientNorm(broken, 1)).toThrow(/norm NaN, because of "broken".*Lower the learning/);
    expect(() => clipGradientNorm([], 0)).toThrow(/`norm` is 0; it must be a finite number above 0/);
    expect(() => clipGradientValue([], NaN)).toThrow(/`value` is NaN/);
  });

  const { logits, labels, cases: losses } = golden.crossEntropy;
  it.each(losses)(
    'crossEntropy with weights $classWeights and smoothing $labelSmoothing is PyTorch’s',
    ({ classWeights, labelSmoothing, loss, gradient }) => {
      const y = tf.tensor1d(labels, 'int32');
      const z = tf.tensor2d(logits);
      const options = { classWeights: classWeights ?? undefined, labelSmoothing };
      const found = tf.valueAndGrad((x: tf.Tensor) => crossEntropy(y, x as tf.Tensor2D, options))(z);
      expectTensorClose(found.value, loss, { atol: 1e-6 });
      expectTensorClose(found.grad, tf.tensor(gradient, z.shape), { atol: 1e-6 });
      expectNoLeak(() => crossEntropy(y, z, options));
    },
  );

  it('is 0, with gradients of 0, for a batch of classes without weight', () => {
    const loss = (z: tf.Tensor) =>
      crossEntropy(tf.tensor1d([1, 1], 'int32'), z as tf.Tensor2D, {
        classWeights: [1, 0],
        labelSmoothing: 0.1,
      });
    const { value: found, grad } = tf.valueAndGrad(loss)(tf.tensor2d([[1, 2], [3, 4]])); // prettier-ignore
    expectTensorClose(found, 0, { atol: 0 });
    expectTensorClose(grad, tf.zeros([2, 2]), { atol: 0 });
  });
});

describe('crossEntropy', () => {
  it('says what it does not accept', () => {
    const call = (options: object) => () =>
      crossEntropy(tf.tensor1d([0], 'int32'), tf.zeros([1, 2]), options);
    expect(call({ classWeights: [1] })).toThrow(/`classWeights` has shape \[1\]; expected \[2\], one weight/);
    expect(call({ classWeights: [1, -1] })).toThrow(/`classWeights\[1\]` is -1/);
    expect(call({ classWeights: [0, 0] })).toThrow(/must be above 0 for one class at least/);
    expect(call({ labelSmoothing: 1.1 })).toThrow(/`labelSmoothing` is 1.1; it must be 0 to 1/);
  });
});

describe('watchPlateau and reducedRate', () => {
  const { numbers, base, cases } = golden.plateau;
  it.each(cases)(
    'are PyTorch’s ReduceLROnPlateau with $options',
    ({ options: { factor, min, ...watch }, rates }) => {
      const fall = { ...(factor !== undefined && { factor }), ...(min !== undefined && { min }) };
      let state = NO_PLATEAU;
      numbers.forEach((number, i) => {
        state = watchPlateau(state, number, watch);
        base.forEach((rate, group) =>
          expect(reducedRate(rate, state.reductions, fall)).toBeCloseTo(rates[i]![group]!, 12),
        );
      });
      expect(state.reductions).toBeGreaterThan(0);
    },
  );

  it('take NaN for no better, also in the beginning', () => {
    const state = watchPlateau(NO_PLATEAU, NaN, { patience: 1 });
    expect(watchPlateau(state, 5, { patience: 1 })).toEqual({ best: 5, bad: 0, cooldown: 0, reductions: 0 });
    expect(state).toEqual({ ...NO_PLATEAU, bad: 1 });
  });

  it('say what they do not accept', () => {
    expect(() => watchPlateau(NO_PLATEAU, 1, { patience: -1 })).toThrow(/`patience` is -1/);
    expect(() => reducedRate(1, 1, { factor: 1 })).toThrow(/`factor` is 1; .* below 1/);
    expect(() => reducedRate(1, 1, { min: NaN })).toThrow(/`min` is NaN/);
  });
});
