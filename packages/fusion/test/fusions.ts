// Every fusion with every number of modalities that it takes, in small models, for tests of what all of them promise.
import * as tf from '@tensorflow/tfjs';
import { initializeWeights } from '@g2d/encoders';
import { perModality, type Fusion, type FusionOptions } from '@g2d/core';
import {
  concatFusion,
  concatMlpFusion,
  crossAttentionFusion,
  filmFusion,
  gatedFusion,
  lateFusion,
  MultimodalModel,
  sumFusion,
} from '../src/index.js';

export type Build = <M extends string>(options: FusionOptions<M>) => Fusion<M>;
export type Case = [name: string, modalities: readonly string[], build: Build];

const second = <M extends string>({ widths }: FusionOptions<M>): NoInfer<M> => Object.keys(widths)[1] as M;

const linear: [string, Build][] = [
  ['late', lateFusion],
  ['sum', sumFusion],
  ['concat', concatFusion],
  ['concat-mlp', (options) => concatMlpFusion({ ...options, hidden: [7, 5] })],
];
const attention: [string, Build] = [
  'cross-attention',
  (options) => crossAttentionFusion({ ...options, hidden: 4, heads: 2 }),
];
const acting: [string, Build][] = [
  ['film', filmFusion],
  [
    'film, conditioned by the second',
    (options) => filmFusion({ ...options, conditionedBy: second(options) }),
  ],
  ['film of projections', (options) => filmFusion({ ...options, hidden: 3 })],
  ['gated', (options) => gatedFusion({ ...options, hidden: 5 })],
  ['gated by the second', (options) => gatedFusion({ ...options, hidden: 5, gatedBy: second(options) })],
];
const oneHead: [string, Build] = [
  'cross-attention of one head',
  (options) => crossAttentionFusion({ ...options, hidden: 4, heads: 1 }),
];

export const cases: readonly Case[] = [
  ...[...linear, attention, ...acting, oneHead].map(([name, build]): Case => [name, ['a', 'b'], build]),
  ...[...linear, attention, ...acting].map(([name, build]): Case => [name, ['a', 'b', 'c'], build]),
  ...linear.map(([name, build]): Case => [name, ['a'], build]),
];

/** The fusion of six classes and features of width 4, with biases that are not zero. */
export function fusionOf<M extends string>(modalities: readonly M[], build: Build): Fusion<M> {
  const fusion = build({ widths: perModality(modalities, () => 4), classes: 6, seed: 2 });
  for (const { layer } of fusion.layers) {
    const [kernel, bias] = layer.getWeights();
    layer.setWeights([kernel!, tf.sin(tf.add(tf.range(0, bias!.size), 1))]);
  }
  return fusion;
}

/** Linear encoders of three numbers and the fusion of their features. */
export function modelOf<M extends string>(modalities: readonly M[], build: Build): MultimodalModel<M> {
  const encoders = perModality(modalities, (name) => {
    const inputs = tf.input({ shape: [3] });
    const outputs = tf.layers.dense({ name: `${name}/dense`, units: 4 }).apply(inputs) as tf.SymbolicTensor;
    const encoder = tf.model({ name, inputs, outputs });
    initializeWeights(encoder, 1);
    return encoder;
  });
  return new MultimodalModel({ encoders, fusion: fusionOf(modalities, build) });
}

/** A different `[rows, width]` for each modality. */
export const numbersOf = <M extends string>(
  modalities: readonly M[],
  [rows, width]: readonly [number, number],
): Record<M, tf.Tensor2D> =>
  perModality(modalities, (name) =>
    tf.tensor2d(
      Array.from({ length: rows * width }, (_, j) => Math.sin(modalities.indexOf(name) + 2 * j)),
      [rows, width],
    ),
  );
