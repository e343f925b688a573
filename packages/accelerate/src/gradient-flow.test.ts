import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { crossEntropy, randomStream, scaleGradient, stopGradient } from '@g2d/tensor-ops';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { beforeAll, describe, it } from 'vitest';
import { accelerate } from './accelerate.js';

const { layers } = tf;

describe.each(['tensorflow', 'wasm', 'cpu'] as const)(
  'scaleGradient and stopGradient on the %s backend',
  (backend) => {
    beforeAll(async () => {
      await loadTensorFlow({ backend, quiet: true });
    });

    it('work behind and before accelerated models', () => {
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
          crossEntropy(
            labels,
            model.apply(stopGradient(tf.add(x, theta)), { training: true }) as tf.Tensor2D,
          ),
        variables.slice(1),
      );
      variables
        .slice(1)
        .forEach(({ name }, i) => expectTensorClose(grads[name]!, plain.grads[i + 1]!, { atol: 1e-6 }));
    });
  },
);
