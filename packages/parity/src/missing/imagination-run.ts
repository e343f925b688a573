import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { perModality, type Batch, type Task } from '@g2d/core';
import { lstm, mlp, textCnn } from '@g2d/encoders';
import { z } from 'zod';
import { dot } from '../numbers.js';
import { tensorValues } from '../recipe.js';
import { list, number, object, text } from '../strict-json.js';
import { numbers } from '../methods/method-run.js';
import type { Tree } from '../methods/method-case.js';
import { hashedTensor, maskColumns, padded } from './case-tensors.js';
import { networkNorms, type CaseValues, type HeldTensors } from './held-tensors.js';
import { batches, inputs, lengths, masks, seed } from './missing-case.js';

// What the cases of CRA and MMIN have in common.

/** Of both systems' files. */
export const imaginationKeys = {
  seed,
  task: z.enum(['classification', 'regression']),
  inputs,
  maskColumns: list(text),
  concatenation: list(text),
  batches: batches(object({ labels: list(number()), masks, lengths: lengths.optional() })),
};

/** A case of either. */
export type ImaginationCase = { readonly id: string } & z.output<z.ZodObject<typeof imaginationKeys>>;

/** Shape of one sample of each modality. */
export const sampleShapes = ({ inputs: all, concatenation }: ImaginationCase) =>
  perModality(concatenation, (m) => all[m]!.shape.slice(1));

/** MLPs of vectors; of sequences MMIN's own encoders, for text (`L`) and for the others. */
export function encodersOf(
  given: ImaginationCase,
  {
    embedding,
    hidden,
    text: cnn,
  }: {
    readonly embedding: Readonly<Record<string, number>>;
    readonly hidden: readonly number[];
    readonly text?: { readonly channels: number; readonly heights: number[] };
  },
): Record<string, LayersModel> {
  const shapes = sampleShapes(given);
  return perModality(given.concatenation, (name) => {
    const shape = shapes[name]!;
    const features = embedding[name]!;
    if (shape.length === 1)
      return mlp({ name, seed: 0, inputShape: [shape[0]!], hidden: [...hidden], features, dropout: 0 });
    const inputShape = [shape[0]!, shape[1]!] as const;
    return name === 'L'
      ? textCnn({ name, seed: 0, inputShape, features, dropout: 0, ...cnn })
      : lstm({ name, seed: 0, inputShape, units: features });
  });
}

/** A batch with its masks, or `complete`, without. The inputs are all there. */
export function imaginationBatch(given: ImaginationCase, tag: string, complete = false): Batch<string> {
  const { id, task, concatenation, maskColumns: columns } = given;
  const { labels, masks: rows, lengths: steps } = given.batches[tag]!;
  return tf.tidy(() => ({
    inputs: perModality(concatenation, (m) => {
      const x = hashedTensor({ seed: given.seed, name: `${tag}/${m}` }, given.inputs[m]!);
      return steps?.[m] ? padded(x, steps[m]) : x;
    }),
    labels: tf.tensor1d(labels, task === 'regression' ? 'float32' : 'int32'),
    ids: labels.map((_, i) => `${tag}/${i}`),
    ...(!complete && { present: maskColumns(rows, columns, id) }),
  })) as Batch<string>;
}

/** The rows of logits; of a regression a list of values. */
export const logitsTree = (task: Task, logits: tf.Tensor2D): Tree =>
  numbers(task === 'regression' ? tf.squeeze(logits, [1]) : logits);

/** Σ x ⊙ r, r a hashed direction. */
export const along = (caseSeed: number, name: string, x: tf.Tensor): number =>
  dot(x.dataSync(), tensorValues({ seed: caseSeed, name: `proj/${name}` }, x.size));

/** How long the gradients of each network are before they are clipped, and which are too long. */
export function clippedTree(values: CaseValues, networks: readonly string[], limit: number) {
  const norms = networkNorms(values, networks);
  return {
    gradNormBeforeClipping: norms,
    clipped: networks.filter((network) => norms[network]! > limit),
  };
}

/** What a training leaves at its end, beside its steps. */
export const endOf = (held: HeldTensors, start: CaseValues, first: CaseValues) => ({
  gradients: held.gradientTable(first),
  parameters: held.parameterTable(start),
});
