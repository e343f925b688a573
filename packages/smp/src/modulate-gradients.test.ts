import * as tf from '@tensorflow/tfjs';
import { expectNoLeak, expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { modulateGradients } from './modulate-gradients.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('modulateGradients', () => {
  const a = tf.variable(tf.zeros([2]));
  const b = tf.variable(tf.zeros([3]));
  const fixed = tf.variable(tf.zeros([1]), false);
  const g = tf.tensor1d([1, 2]);
  const kappa = (value: number) => (variable: tf.Variable) => (variable === a ? value : 0);

  it('multiplies by any κ and has one entry for every variable, in their order', () => {
    const [second, first] = modulateGradients({ [a.name]: g }, [b, a], kappa(0.25), 'zero');
    expect([second!.name, first!.name]).toEqual([b.name, a.name]);
    expectTensorClose(first!.tensor!, [0.25, 0.5], { atol: 1e-7 });
    expectTensorClose(second!.tensor!, [0, 0, 0], {});
  });

  it('gives back the tensor itself for κ = 1, and null where there is no gradient', () => {
    expect(modulateGradients({ [a.name]: g }, [a, b], () => 1, 'zero')).toEqual([
      { name: a.name, tensor: g },
      { name: b.name, tensor: null },
    ]);
    expect(modulateGradients({}, [a], () => 0.5, 'zero')[0]!.tensor).toBeNull();
  });

  it('gives null for κ = 0 to freeze, and always to what is not trainable', () => {
    expect(modulateGradients({ [a.name]: g }, [a], kappa(0), 'freeze')[0]!.tensor).toBeNull();
    expect(modulateGradients({}, [fixed], kappa(0), 'zero')[0]!.tensor).toBeNull();
  });

  it('turns gradients that are not finite into zeros, and leaves nothing behind', () => {
    const grads = { [a.name]: tf.tensor1d([Infinity, NaN]) };
    expectTensorClose(modulateGradients(grads, [a], kappa(0), 'zero')[0]!.tensor!, [0, 0], {});
    expectNoLeak(() => modulateGradients(grads, [a, b], kappa(0.5), 'zero').map(({ tensor }) => tensor));
  });
});
