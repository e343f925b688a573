// Dense models and samples that train in milliseconds, for this package's tests.
import * as tf from '@tensorflow/tfjs';
import { batches, fromSamples } from '@g2d/datasets';
import { initializeWeights } from '@g2d/encoders';
import { perModality, type EpochRecord, type Fusion, type Method } from '@g2d/core';
import { MultimodalModel } from '@g2d/fusion';
import { randomStream } from '@g2d/tensor-ops';
import { train, type TrainOptions } from '@g2d/trainer';

export type Modality = 'loud' | 'quiet';
export const both = ['loud', 'quiet'] as const;
/** Of every fusion of equal widths. */
export const options = { widths: { loud: 5, quiet: 5 }, classes: 3, seed: 0 };
export const optimizer = { learningRate: 0.1, momentum: 0, weightDecay: 0 };

/** A linear encoder of four numbers with batch normalization for each modality, as wide as the fusion takes them. */
export function modelWith<M extends string>(fusion: Fusion<M>): MultimodalModel<M> {
  const encoders = perModality(fusion.modalities, (name): tf.LayersModel => {
    const inputs = tf.input({ shape: [4] });
    const hidden = tf.layers.dense({ name: `${name}/dense`, units: fusion.widths[name] }).apply(inputs);
    const outputs = tf.layers
      .batchNormalization({ name: `${name}/bn`, momentum: 0.9 })
      .apply(hidden) as tf.SymbolicTensor;
    const model = tf.model({ name, inputs, outputs });
    initializeWeights(model, 0);
    return model;
  });
  return new MultimodalModel({ encoders, fusion });
}

const random = randomStream(1);

/** Three classes of 20 samples each, which `loud` shows better. */
export const data = fromSamples({
  name: 'toy',
  split: 'train',
  classNames: ['a', 'b', 'c'],
  samples: Array.from({ length: 60 }, (_, i) => {
    const input = (signal: number) =>
      Float32Array.from({ length: 4 }, (_, j) => random.normal() * 0.5 + (j === i % 3 ? signal : 0));
    return { label: i % 3, inputs: { loud: input(3), quiet: input(1) } };
  }),
});

/** Trains a model with one method and returns the log. */
export async function run<M extends Modality>(
  model: MultimodalModel<M>,
  method: Method<M>,
  { epochs = 1, batchSize = 20, ...others }: Partial<TrainOptions<M>> & { readonly batchSize?: number } = {},
): Promise<EpochRecord[]> {
  const log: EpochRecord[] = [];
  await train<M>({
    model,
    methods: [method],
    epochs,
    optimizer,
    batchesPerEpoch: 60 / batchSize,
    batches: (epoch, startBatch) => batches(data, { batchSize, epoch, startBatch }) as never,
    onEpoch: (record) => void log.push(record),
    ...others,
  });
  return log;
}
