// Convolutional models that train in milliseconds, for this package's tests.
import * as tf from '@tensorflow/tfjs';
import { initializeWeights } from '@g2d/encoders';
import type { Batch, Fusion } from '@g2d/core';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { randomStream } from '@g2d/tensor-ops';
import type { TrainOptions } from '@g2d/trainer';

export type Modality = 'audio' | 'visual';

/** One convolution, batch normalization and an average. */
function convolution(name: string): tf.LayersModel {
  const { conv2d, batchNormalization, globalAveragePooling2d } = tf.layers;
  const inputs = tf.input({ shape: [4, 4, 1] });
  const conv = conv2d({ name: `${name}/conv`, filters: 3, kernelSize: 3, useBias: false }).apply(inputs);
  const norm = batchNormalization({ name: `${name}/bn` }).apply(conv);
  const outputs = globalAveragePooling2d({ name: `${name}/pool` }).apply(norm) as tf.SymbolicTensor;
  const encoder = tf.model({ name, inputs, outputs });
  initializeWeights(encoder, 0);
  return encoder;
}

/** A small encoder of [4, 4, 1] for each modality, and late fusion into two classes or another. */
export function toyModel<M extends string>(
  modalities: readonly M[],
  fusion?: Fusion<M>,
  encoder: (name: string) => tf.LayersModel = convolution,
): MultimodalModel<M> {
  const record = <T>(value: (name: M) => T) =>
    Object.fromEntries(modalities.map((name) => [name, value(name)])) as Record<M, T>;
  return new MultimodalModel({
    encoders: record(encoder),
    fusion: fusion ?? lateFusion({ widths: record(() => 3), classes: 2, seed: 0 }),
  });
}

/** Two batches of four samples in every epoch, always the same. */
export const toyBatches: TrainOptions<Modality>['batches'] = async function* () {
  const random = randomStream(3);
  const image = (label: number, signal: number) =>
    Array.from({ length: 16 }, () => random.normal() + (label ? signal : -signal));
  const labels = [0, 1, 0, 1];
  for (const tag of ['first', 'second']) {
    const inputs = (signal: number) =>
      tf.tensor4d(
        labels.flatMap((label) => image(label, signal)),
        [4, 4, 4, 1],
      );
    const batch: Batch<Modality> = {
      inputs: { audio: inputs(1), visual: inputs(0.2) },
      labels: tf.tensor1d(labels, 'int32'),
      ids: labels.map((_, i) => `${tag}/${i}`),
    };
    yield batch;
  }
};
