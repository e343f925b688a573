import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { accelerate } from './accelerate.js';
import { crossEntropy } from './cross-entropy.js';
import { scaleGradient, stopGradient } from './gradient-flow.js';
import { randomStream } from './random.js';
import { expectNoLeak, expectTensorClose } from './testing.js';

const { layers } = tf;

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

  it('works behind and before accelerated models', () => {
    const random = randomStream(1);
    const values = (...shape: number[]) =>
      tf.tensor(
        Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
        shape,
      );
    const inputs = tf.input({ shape: [4] });
    const hidden = layers.dense({ units: 5, activation: 'relu' }).apply(inputs) as tf.SymbolicTensor;
    const model = accelerate(
      tf.model({ inputs, outputs: layers.dense({ units: 3 }).apply(hidden) as tf.SymbolicTensor }),
    );
    model.setWeights(model.getWeights().map(({ shape }) => values(...shape)));
    const [x, theta] = [values(2, 4), tf.variable(values(2, 4))];
    const labels = tf.tensor1d([0, 2], 'int32');
    const variables = [theta, ...model.trainableWeights.map((weight) => weight.read() as tf.Variable)];
    const run = (change: (tensor: tf.Tensor, c: number) => tf.Tensor) =>
      tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => {
          const logits = model.apply(change(tf.add(x, theta), 3), { training: true }) as tf.Tensor2D;
          return crossEntropy(labels, change(logits, 0.5) as tf.Tensor2D);
        }, variables);
        return { value, grads: variables.map(({ name }) => grads[name]!) };
      });
    const [plain, scaled] = [run((tensor) => tensor), run(scaleGradient)];
    expectTensorClose(scaled.value, plain.value, {});
    scaled.grads.forEach((tensor, i) =>
      expectTensorClose(tensor, tf.mul(plain.grads[i]!, i === 0 ? 1.5 : 0.5), { atol: 1e-6 }),
    );
    // The rest of the path is cut: only the logits' own variables are left.
    const { grads } = tf.variableGrads(
      () =>
        crossEntropy(labels, model.apply(stopGradient(tf.add(x, theta)), { training: true }) as tf.Tensor2D),
      variables.slice(1),
    );
    variables
      .slice(1)
      .forEach(({ name }, i) => expectTensorClose(grads[name]!, plain.grads[i + 1]!, { atol: 1e-6 }));
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
