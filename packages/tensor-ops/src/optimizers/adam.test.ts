import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { expectNoLeak, expectTensorClose } from '../testing.js';
import { AdamW } from './adam-w.js';
import { Adam } from './adam.js';

describe.each([Adam, AdamW])('%o', (Optimizer) => {
  it('moves by the learning rate in the first step, whatever the gradient is', () => {
    const theta = tf.variable(tf.tensor1d([1, 1, 1]));
    const optimizer = new Optimizer([theta], { learningRate: 0.1, weightDecay: 0 });
    const gradients = [{ name: theta.name, tensor: tf.tensor1d([1e-3, -5, 200]) }];
    optimizer.applyGradients(gradients);
    expectTensorClose(theta, [0.9, 1.1, 0.9], { atol: 1e-5 });
  });

  it('adds ε to the corrected root, or to the other, where it counts more in the first step', () => {
    const moved = (epsilonAt: 'corrected' | 'uncorrected'): number => {
      const theta = tf.variable(tf.tensor1d([0]));
      const optimizer = new Optimizer([theta], { learningRate: 0.1, weightDecay: 0, epsilonAt });
      optimizer.applyGradients([{ name: theta.name, tensor: tf.tensor1d([1e-6]) }]);
      return theta.dataSync()[0] as number;
    };
    expect(moved('corrected')).toBeCloseTo(-0.1 / 1.01, 5);
    // 10⁻⁸ / √0.001 = 3.162 · 10⁻⁷.
    expect(moved('uncorrected')).toBeCloseTo(-0.1 / 1.3162, 5);
    expect(() => moved('nowhere' as never)).toThrow(/`epsilonAt` is "nowhere"/);
  });

  it('leaves no tensors behind', () => {
    const theta = tf.variable(tf.ones([3]));
    const gradients = [{ name: theta.name, tensor: tf.ones([3]) }];
    expectNoLeak(() => {
      const optimizer = new Optimizer([theta]);
      optimizer.applyGradients(gradients);
      const after = tf.memory().numTensors;
      for (let i = 0; i < 5; i++) optimizer.applyGradients(gradients);
      expect(tf.memory().numTensors).toBe(after);
      const state = optimizer.getState();
      optimizer.setState(state);
      optimizer.dispose();
      return state;
    });
  });

  it('changes nothing if one gradient is wrong, and names it', () => {
    const theta = tf.variable(tf.ones([1]));
    const optimizer = new Optimizer([theta]);
    const right = { name: theta.name, tensor: tf.ones([1]) };
    expect(() => optimizer.applyGradients([right, { name: 'other', tensor: null }])).toThrow(
      /"other".*not one of/,
    );
    expectTensorClose(theta, [1], {});
  });

  it('refuses half a state and impossible settings', () => {
    const theta = tf.variable(tf.ones([2]));
    const optimizer = new Optimizer([theta]);
    const step = `${theta.name}/step`;
    expect(() => optimizer.setState({ [step]: tf.scalar(1) })).toThrow(
      `The saved state has "${step}" but not "${theta.name}/firstMoment".`,
    );
    expect(() => new Optimizer([], { betas: [0.9, 1] })).toThrow(/`betas\[1\]` is 1; .* below 1/);
    expect(() => new Optimizer([], { epsilon: -1 })).toThrow(/`epsilon` is -1/);
    expect(() => new Optimizer([], { weightDecay: NaN })).toThrow(/`weightDecay` is NaN/);
    expect(() => (optimizer.learningRate = -1)).toThrow(/`learningRate` is -1/);
  });
});
