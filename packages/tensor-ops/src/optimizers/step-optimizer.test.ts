import * as tf from '@tensorflow/tfjs';
import type { Model, NamedGradient, Parameter } from '@g2d/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createOptimizer } from './create-optimizer.js';
import { clip } from './step-optimizer.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type M = 'audio' | 'text';
const roles: readonly [string, Parameter<M>['modality'], Parameter<M>['role']][] = [
  ['audio/conv/kernel', 'audio', 'conv'],
  ['audio/bn/gamma', 'audio', 'norm'],
  ['text/kernel', 'text', 'encoder'],
  ['head/audio/0/kernel', 'audio', 'head'],
  ['fusion/classifier/0/kernel', undefined, 'shared'],
  ['fusion/classifier/1/kernel', undefined, 'shared'],
  ['fusion/cycle/0/kernel', undefined, 'shared'],
];
const modelOf = () => {
  const parameters = roles.map(([name, modality, role]) => ({
    name,
    modality,
    role,
    variable: tf.variable(tf.tensor1d([0])),
  }));
  return { modalities: ['audio', 'text'], parameters } as unknown as Model<M>;
};

describe('clipping', () => {
  const values = [3, 4, 0.5, 10, 6, 8, 2];
  const gradientsOf = (model: Model<M>): NamedGradient[] =>
    model.parameters.map(({ variable: { name } }, i) => ({ name, tensor: tf.tensor1d([values[i]!]) }));
  const numbers = (gradients: readonly NamedGradient[]) =>
    gradients.map(({ tensor }) => tensor!.dataSync()[0]);

  it('shortens the gradients of each network on their own', () => {
    const model = modelOf();
    const clipped = clip(gradientsOf(model), { norm: 5, per: 'network' }, model);
    // Norms: audio 5, text 0.5, the head 10, the classifier 10, the cycle 2; PyTorch adds 1e-6 to each.
    const half = 5 / (10 + 1e-6);
    const whole = 5 / (5 + 1e-6);
    const expected = [3 * whole, 4 * whole, 0.5, 10 * half, 6 * half, 8 * half, 2];
    expect(numbers(clipped)).toEqual(expected.map((value) => expect.closeTo(value, 5)));
    expect(clipped.map(({ name }) => name)).toEqual(model.parameters.map(({ variable }) => variable.name));
  });

  it('shortens all of them together where nothing else is said, and leaves out what does not train', () => {
    const model = modelOf();
    const together = numbers(clip(gradientsOf(model), { norm: 5 }, model));
    expect(Math.hypot(...(together as number[]))).toBeCloseTo(5, 4);
    const frozen = gradientsOf(model).map((gradient, i) =>
      i === 3 ? { ...gradient, tensor: null } : gradient,
    );
    expect(clip(frozen, { norm: 5, per: 'network' }, model)[3]!.tensor).toBeNull();
  });

  it('refuses other owners before anything is trained', () => {
    const clipping = { norm: 1, per: 'layer' as 'network' };
    expect(() => createOptimizer(modelOf(), { learningRate: 1, clipping })).toThrow(
      /`clipping\.per` is "layer"; it can be model or network/,
    );
  });
});
