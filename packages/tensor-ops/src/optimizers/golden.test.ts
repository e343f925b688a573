import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectTensorClose } from '../testing.js';
import { AdamW } from './adam-w.js';
import { Adam } from './adam.js';
import type { Optimizer } from '@g2d/core';
import { SGD } from './sgd.js';

interface Run {
  readonly optimizer: keyof typeof optimizers;
  readonly options: Readonly<Record<string, number | boolean>>;
  readonly values: readonly (readonly (readonly number[])[])[];
  readonly state: readonly Readonly<Record<string, readonly number[]>>[];
}

// Made by test/golden/optimizers.py with PyTorch in float64.
const golden = JSON.parse(
  readFileSync(new URL('../../test/golden/optimizers.json', import.meta.url), 'utf8'),
) as {
  readonly shapes: readonly number[][];
  readonly start: readonly number[][];
  readonly learningRates: readonly number[];
  readonly gradients: readonly (readonly (number[] | null)[])[];
  readonly runs: readonly Run[];
};

const optimizers = { SGD, Adam, AdamW } as unknown as Readonly<
  Record<
    'SGD' | 'Adam' | 'AdamW',
    new (variables: readonly tf.Variable[], options: Run['options'] & { learningRate: number }) => Optimizer
  >
>;

beforeAll(async () => {
  await loadTensorFlow({ backend: 'wasm', quiet: true });
  await loadTensorFlow({ backend: 'tensorflow', quiet: true });
});

describe.each(['tensorflow', 'wasm', 'cpu'])('on the %s backend', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  const variables = (): tf.Variable[] =>
    golden.start.map((values, i) => tf.variable(tf.tensor(values, golden.shapes[i])));

  const step = (optimizer: Optimizer, theta: readonly tf.Variable[], t: number): void => {
    optimizer.learningRate = golden.learningRates[t]!;
    const gradients = golden.gradients[t]!.map((values, i) => ({
      name: theta[i]!.name,
      tensor: values && tf.tensor(values, golden.shapes[i]),
    }));
    optimizer.applyGradients(gradients);
    tf.dispose(gradients.map(({ tensor }) => tensor) as tf.TensorContainer);
  };

  it.each(golden.runs.map((run) => [`${run.optimizer} ${JSON.stringify(run.options)}`, run] as const))(
    '%s takes PyTorch’s steps, and has its state',
    (_, run) => {
      const theta = variables();
      const before = tf.memory().numTensors;
      const optimizer = new optimizers[run.optimizer](theta, { learningRate: 1, ...run.options });
      run.values.forEach((values, t) => {
        step(optimizer, theta, t);
        values.forEach((expected, i) => expectTensorClose(theta[i]!, expected, { atol: 1e-6, rtol: 1e-6 }));
      });

      const state = optimizer.getState();
      const expected = run.state.flatMap((parts, i) =>
        Object.entries(parts).map(([part, values]) => [`${theta[i]!.name}/${part}`, values] as const),
      );
      expect(Object.keys(state).toSorted()).toEqual(expected.map(([key]) => key).toSorted());
      for (const [key, values] of expected) {
        expectTensorClose(state[key]!, values, { atol: 1e-6, rtol: 1e-6 });
      }
      tf.dispose(state);
      optimizer.dispose();
      expect(tf.memory().numTensors).toBe(before);
      tf.dispose(theta);
    },
  );

  it.each(golden.runs.map((run) => [`${run.optimizer} ${JSON.stringify(run.options)}`, run] as const))(
    '%s goes on from a saved state as if nothing had happened, bit for bit',
    (_, run) => {
      const [whole, resumed] = [variables(), variables()];
      const make = (theta: readonly tf.Variable[]) =>
        new optimizers[run.optimizer](theta, { learningRate: 1, ...run.options });
      const first = make(whole);
      for (const t of [0, 1, 2]) step(first, whole, t);
      const state = first.getState();
      // Later steps of the first optimizer must not reach the copy.
      const renamed = Object.fromEntries(
        Object.entries(state).map(([key, tensor]) => {
          const i = whole.findIndex(({ name }) => key.startsWith(`${name}/`));
          return [key.replace(whole[i]!.name, resumed[i]!.name), tensor];
        }),
      );
      resumed.forEach((variable, i) => variable.assign(whole[i] as tf.Tensor));
      for (const t of [3, 4, 5]) step(first, whole, t);

      const second = make(resumed);
      second.setState(renamed);
      tf.dispose(state);
      for (const t of [3, 4, 5]) step(second, resumed, t);
      resumed.forEach((variable, i) => expect(variable.dataSync()).toEqual(whole[i]!.dataSync()));
      first.dispose();
      second.dispose();
      tf.dispose([whole, resumed]);
    },
  );
});
