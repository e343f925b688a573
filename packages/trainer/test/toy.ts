// A data set and models that train in milliseconds, for this package's tests.
import * as tf from '@tensorflow/tfjs';
import type { MultimodalDataset, Split } from '@g2d/core';
import { initializeWeights } from '@g2d/encoders';
import { lateFusion, MultimodalModel } from '@g2d/fusion';
import { randomStream } from '@g2d/tensor-ops';

export type Modality = 'loud' | 'quiet';

/**
 * Two modalities of four numbers each, three classes: the class's own number is larger by `signal`. `loud` is easier.
 */
export function toyDataset(split: Split, size: number, seed: number): MultimodalDataset<Modality> {
  const random = randomStream(seed);
  const make = (label: number, signal: number) =>
    Float32Array.from({ length: 4 }, (_, i) => random.normal() * 0.5 + (i === label ? signal : 0));
  const samples = Array.from({ length: size }, (_, i) => ({
    id: `toy/${split}/${i}`,
    label: i % 3,
    inputs: { loud: make(i % 3, 3), quiet: make(i % 3, 1) },
  }));
  return {
    name: 'toy',
    split,
    task: 'classification',
    modalities: ['loud', 'quiet'],
    shapes: { loud: [4], quiet: [4] },
    classNames: ['a', 'b', 'c'],
    ids: samples.map(({ id }) => id),
    size,
    sample: async (index) => {
      const { id, label, inputs } = samples[index]!;
      return { id, label, inputs: { loud: inputs.loud.slice(), quiet: inputs.quiet.slice() } };
    },
    close: () => {},
  };
}

/** A linear encoder of width 5 for each modality, and late fusion. */
export function toyModel<M extends Modality>(
  modalities: readonly M[],
  seed: number,
  classes = 3,
): MultimodalModel<M> {
  const encoders = Object.fromEntries(
    modalities.map((name) => {
      const inputs = tf.input({ shape: [4] });
      const outputs = tf.layers.dense({ name: `${name}/dense`, units: 5 }).apply(inputs) as tf.SymbolicTensor;
      const encoder = tf.model({ name, inputs, outputs });
      initializeWeights(encoder, seed);
      return [name, encoder];
    }),
  ) as Record<M, tf.LayersModel>;
  const widths = Object.fromEntries(modalities.map((name) => [name, 5])) as Record<M, number>;
  return new MultimodalModel({ encoders, fusion: lateFusion({ widths, classes, seed }) });
}
