import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { scaleGradient, stopGradient } from './gradient-flow.js';
import { expectNoLeak, expectTensorClose } from './testing.js';

/** The gradient of the sum of a function of one variable. */
const gradient = (theta: tf.Variable, f: () => tf.Tensor): tf.Tensor =>
  tf.variableGrads(() => tf.sum(f()) as tf.Scalar, [theta]).grads[theta.name]!;

describe.each(['tensorflow', 'wasm', 'cpu'] as const)('on the %s backend', (backend) => {
  beforeAll(async () => {
    await loadTensorFlow({ backend, quiet: true });
  });

  it('scaleGradient keeps values and scales gradients', () => {
    const theta = tf.variable(tf.tensor1d([1, -2, 3]));
    expectTensorClose(scaleGradient(theta, 0.25), [1, -2, 3], {});
    // d/dθ θ³ = 3 θ², times c on the way.
    const cube = (c: number) => gradient(theta, () => tf.pow(scaleGradient(theta, c), 3));
    expectTensorClose(cube(1), [3, 12, 27], { atol: 1e-4 });
    expectTensorClose(cube(0.5), [1.5, 6, 13.5], { atol: 1e-4 });
    expectTensorClose(cube(-1), [-3, -12, -27], { atol: 1e-4 });
    expectTensorClose(cube(0), [0, 0, 0], {});
  });

  it('stopGradient keeps values and cuts gradients', () => {
    const theta = tf.variable(tf.tensor1d([1, -2, 3]));
    expectTensorClose(stopGradient(theta), [1, -2, 3], {});
    // d/dθ θ² sg(θ) = 2 θ sg(θ).
    expectTensorClose(
      gradient(theta, () => tf.mul(tf.square(theta), stopGradient(theta))),
      [2, 8, 18],
      { atol: 1e-5 },
    );
    expect(() => gradient(theta, () => stopGradient(theta))).toThrow(/Cannot find a connection/);
  });

  it('scaleGradient is c x + (1 − c) stopGradient(x), also where one value is used twice', () => {
    const theta = tf.variable(tf.tensor1d([1, -2]));
    const both = gradient(theta, () => {
      const squares = tf.square(theta);
      const [a, b] = [scaleGradient(squares, 0.25), scaleGradient(squares, 2)];
      return tf.add(tf.mul(a, 3), tf.mul(b, stopGradient(a)));
    });
    // 2 θ (0.25 · 3 + 2 θ²)
    expectTensorClose(both, [2 * 2.75, -4 * 8.75], { atol: 1e-5 });
    const written = gradient(theta, () => {
      const squares = tf.square(theta);
      return tf.add(tf.mul(squares, 0.25), tf.mul(stopGradient(squares), 0.75));
    });
    expectTensorClose(written, [0.5, -1], { atol: 1e-6 });
  });

  it('leaves no tensor behind', () => {
    const theta = tf.variable(tf.tensor1d([1, -2]));
    expectNoLeak(() => [scaleGradient(theta, 2), stopGradient(theta)]);
    expectNoLeak(() => {
      const { value, grads } = tf.variableGrads(
        () => tf.sum(tf.mul(scaleGradient(theta, 0.5), stopGradient(theta))) as tf.Scalar,
        [theta],
      );
      return { value, ...grads };
    });
    expectNoLeak(() => tf.tidy(() => void [scaleGradient(theta, 2), stopGradient(theta)]));
  });
});

describe('scaleGradient', () => {
  it('refuses factors that are not finite', () => {
    expect(() => scaleGradient(tf.scalar(1), NaN)).toThrow(/The factor of a gradient is NaN; .* finite/);
    expect(() => scaleGradient(tf.scalar(1), Infinity)).toThrow(/is Infinity/);
  });
});
