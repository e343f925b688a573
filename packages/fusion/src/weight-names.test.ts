import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { lateFusion } from './late-fusion.js';
import { MultimodalModel } from './multimodal-model.js';

/** As in every tutorial: layers without names. */
function encoder(): tf.LayersModel {
  const network = tf.sequential();
  network.add(tf.layers.dense({ units: 5, activation: 'relu', inputShape: [4, 3] }));
  network.add(tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 3 }) }));
  network.add(
    tf.layers.bidirectional({ layer: tf.layers.lstm({ units: 2 }) as tf.RNN, mergeMode: 'concat' }),
  );
  network.add(tf.layers.batchNormalization());
  network.add(tf.layers.dense({ units: 2, name: 'mine' }));
  return network;
}

const names = (modalities: readonly ('a' | 'b')[]): readonly string[] => {
  const encoders = Object.fromEntries(modalities.map((modality) => [modality, encoder()]));
  const widths = Object.fromEntries(modalities.map((modality) => [modality, 2]));
  const model = new MultimodalModel({ encoders, fusion: lateFusion({ widths, classes: 2, seed: 0 }) });
  return [...model.state().keys()];
};

describe('the weights of layers without a name', () => {
  it('are called the same whatever was made before in the process', () => {
    const alone = names(['a']).filter((name) => !name.startsWith('fusion/'));
    expect(names(['a'])).toEqual(names(['a']));
    expect(alone).toContain('a/time_distributed_1/kernel');
    expect(alone).toContain('a/batch_normalization_1/moving_mean');
    expect(alone).toContain('a/bidirectional_1/forward_lstm/recurrent_kernel');
    expect(alone).toContain('a/bidirectional_1/backward_lstm/bias');
    expect(alone).toContain('mine/kernel');
    expect(alone.join()).not.toMatch(/_[A-Z]/);
    expect(new Set(alone).size).toBe(alone.length);
  });

  it('are told apart by modality', () => {
    const network = (units: number): tf.LayersModel => {
      const own = tf.sequential();
      own.add(tf.layers.dense({ units, inputShape: [3] }));
      return own;
    };
    const { parameters } = new MultimodalModel({
      encoders: { a: network(2), b: network(2) },
      fusion: lateFusion({ widths: { a: 2, b: 2 }, classes: 2, seed: 0 }),
    });
    expect(parameters.slice(0, 4).map(({ name, modality }) => [name, modality])).toEqual([
      ['a/dense_1/kernel', 'a'],
      ['a/dense_1/bias', 'a'],
      ['b/dense_1/kernel', 'b'],
      ['b/dense_1/bias', 'b'],
    ]);
  });
});
