import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { tabularMlp, transformer } from '@g2d/encoders';
import { withDropoutSeed } from '@g2d/accelerate';
import { orderedGradients, SGD } from '@g2d/tensor-ops';
import { beforeAll, describe, expect, it } from 'vitest';
import { lateFusion } from './late-fusion.js';
import { MultimodalModel } from './multimodal-model.js';
import type { PassMode } from '@g2d/core';

const sizes = { layers: 1, heads: 2, width: 8, feedForward: 12, dropout: 0.3 };
const modelOf = () =>
  new MultimodalModel({
    encoders: {
      text: transformer({ name: 'text', inputShape: [4, 3], seed: 0, ...sizes }),
      weather: tabularMlp({ name: 'weather', inputShape: [5], seed: 0 }),
    },
    fusion: lateFusion({ widths: { text: 8, weather: 16 }, classes: 3, seed: 0 }),
  });

const inputs = () => ({
  text: tf.tensor3d(
    Array.from({ length: 60 }, (_, i) => Math.sin(i * i)),
    [5, 4, 3],
  ),
  weather: tf.tensor2d(
    Array.from({ length: 25 }, (_, i) => Math.cos(i * i)),
    [5, 5],
  ),
});

describe.each(['tensorflow', 'cpu'] as const)(
  'passes of MultimodalModel under a dropout seed on %s',
  (backend) => {
    beforeAll(async () => {
      await loadTensorFlow({ backend, quiet: true });
    });

    /** Logits of a pass, as numbers. */
    const logits = (model: ReturnType<typeof modelOf>, mode: PassMode = { training: true }) =>
      tf.tidy(() => [
        ...model.forward({ inputs: inputs() }, { runningStatistics: 'keep', ...mode }).logits.dataSync(),
      ]);

    it('repeat themselves, with or without gradients, and differ within one call', () => {
      const model = modelOf();
      const one = withDropoutSeed(5, () => [logits(model), logits(model)]);
      expect(withDropoutSeed(5, () => [logits(model), logits(model)])).toEqual(one);
      expect(one[1]).not.toEqual(one[0]);
      expect(withDropoutSeed(5, () => logits(model, { training: true, gradients: false }))).toEqual(one[0]);
      expect(withDropoutSeed(6, () => logits(model))).not.toEqual(one[0]);
    });

    it('encode a modality alike whether the others run or not', () => {
      const model = modelOf();
      const mode = { training: true, runningStatistics: 'keep' } as const;
      const whole = withDropoutSeed(5, () => model.forward({ inputs: inputs() }, mode).features.weather);
      const alone = withDropoutSeed(5, () => model.encode('weather', inputs().weather, mode));
      expect([...alone.dataSync()]).toEqual([...whole.dataSync()]);
    });

    it('train to the same bits', () => {
      const train = () => {
        const model = modelOf();
        const variables = [...model.variables];
        const optimizer = new SGD(variables, { learningRate: 0.1, momentum: 0.9 });
        for (let step = 0; step < 3; step++) {
          tf.tidy(() =>
            withDropoutSeed(step, () => {
              const { grads } = tf.variableGrads(
                () =>
                  tf.sum(
                    tf.square(model.forward({ inputs: inputs() }, { training: true }).logits),
                  ) as tf.Scalar,
                variables,
              );
              optimizer.applyGradients(orderedGradients(grads, variables));
            }),
          );
        }
        optimizer.dispose();
        return [...model.state().values()].map((weight) => [...weight.read().dataSync()]);
      };
      expect(train()).toEqual(train());
    });
  },
);
