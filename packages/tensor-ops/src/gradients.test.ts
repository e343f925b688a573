import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { orderedGradients } from './gradients.js';

describe('orderedGradients', () => {
  it('has one entry per variable in their order, null where the tape gave none', () => {
    const [a, b] = [tf.variable(tf.scalar(1)), tf.variable(tf.scalar(2))];
    const { grads } = tf.variableGrads(() => tf.square(b) as tf.Scalar);
    expect(orderedGradients(grads, [a, b]).map(({ name, tensor }) => [name, tensor?.dataSync()[0]])).toEqual([
      [a.name, undefined],
      [b.name, 4],
    ]);
  });
});
