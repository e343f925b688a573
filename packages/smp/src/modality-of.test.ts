import * as tf from '@tensorflow/tfjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { byLayers, byPrefix } from './modality-of.js';
import { PrioritizedOptimizer } from './prioritized-optimizer.js';
import { SequentialModalityPrioritization } from './sequential-modality-prioritization.js';

describe('byPrefix', () => {
  it('finds the modality, and none for shared variables', () => {
    const modalityOf = byPrefix({ audio: 'audio/', video: 'video/' });
    expect(modalityOf('video/conv1/kernel_1')).toBe('video');
    expect(modalityOf('fusion/kernel')).toBeUndefined();
    expect(modalityOf.modalities).toEqual(['audio', 'video']);
    expectTypeOf(modalityOf).returns.toEqualTypeOf<'audio' | 'video' | undefined>();
  });

  it('refuses prefixes that overlap', () => {
    expect(() => byPrefix({ a: 'enc', b: 'encoder/' })).toThrow(
      '`prefixes.b` is "encoder/"; expected a beginning of its own.',
    );
    expect(() => byPrefix({ a: 'x/', b: 'x/' })).toThrow(/`prefixes\.a` is "x\/"/);
    expect(() => byPrefix({ a: '' })).toThrow(/`prefixes\.a` is ""/);
  });
});

describe('byLayers', () => {
  const encoder = (): tf.LayersModel =>
    tf.sequential({
      layers: [tf.layers.dense({ inputShape: [3], units: 2 }), tf.layers.batchNormalization()],
    });

  it('knows whose the variables of models and layers are, whatever they are called', () => {
    const [audio, video, conv] = [encoder(), encoder(), tf.layers.conv2d({ filters: 1, kernelSize: 1 })];
    conv.build([null, 4, 4, 1]);
    const modalityOf = byLayers({ audio, video: [video, conv] });
    expect(modalityOf.modalities).toEqual(['audio', 'video']);
    const owners = (layer: { readonly weights: readonly { read(): tf.Tensor }[] }) =>
      layer.weights.map((weight) => modalityOf((weight.read() as tf.Variable).name));
    expect(owners(audio)).toEqual(Array(6).fill('audio'));
    expect(owners(video)).toEqual(Array(6).fill('video'));
    expect(owners(conv)).toEqual(['video', 'video']);
    expect([modalityOf('dense/kernel'), modalityOf('constructor')]).toEqual([undefined, undefined]);
  });

  it('shares what two modalities have', () => {
    const [both, own] = [encoder(), encoder()];
    const modalityOf = byLayers({ audio: [both, own], video: both, text: both });
    expect(both.weights.map(({ name }) => modalityOf(name))).toEqual(Array(6).fill(undefined));
    expect(modalityOf(own.weights[0]!.name)).toBe('audio');
  });

  it('suppresses a sub-model in `fit`', async () => {
    const inputs = [tf.input({ shape: [3] }), tf.input({ shape: [3] })];
    const encoders = [encoder(), encoder()] as const;
    const features = encoders.map((model, i) => model.apply(inputs[i]!) as tf.SymbolicTensor);
    const head = tf.layers.dense({ units: 1 }).apply(tf.layers.concatenate().apply(features));
    const model = tf.model({ inputs, outputs: head as tf.SymbolicTensor });
    const smp = new SequentialModalityPrioritization({
      modalityOf: byLayers({ audio: encoders[0], video: encoders[1] }),
      phaseEpochs: [1, 1],
      // No teachers: the order is known.
      ranking: { fixed: ['video', 'audio'] },
      onZero: 'freeze',
      variables: model.trainableWeights.map((weight) => weight.read() as tf.Variable),
    });
    model.compile({ optimizer: new PrioritizedOptimizer(tf.train.adam(0.1), smp), loss: 'meanSquaredError' });
    const kernels = () => encoders.map(({ layers: [dense] }) => [...dense!.getWeights()[0]!.dataSync()]);
    const seen = [kernels()];
    const stop = tf.callbacks.earlyStopping({ monitor: 'loss', patience: 9 });
    const follow = new tf.CustomCallback({
      onEpochBegin: async (epoch) => smp.update({ epoch: epoch + 1 }),
      onEpochEnd: async () => void seen.push(kernels()),
    });
    // Equal samples would leave nothing after batch normalization, and gradients of rounding alone.
    const batch = (seed: number) => tf.randomUniform([4, 3], 0, 1, 'float32', seed);
    await model.fit([batch(1), batch(2)], tf.ones([4, 1]), {
      epochs: 2,
      verbose: 0,
      callbacks: [follow, stop],
    });
    expect(seen).toHaveLength(3);
    const moved = [1, 2].map((e) => seen[e]!.map((kernel, i) => kernel.join() !== seen[e - 1]![i]!.join()));
    expect(moved).toEqual([
      [false, true],
      [true, true],
    ]);
  });
});
