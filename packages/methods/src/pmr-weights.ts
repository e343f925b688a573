import type { PerModality, Step } from '@g2d/core';
import { perModality } from '@g2d/core';
import * as tf from '@tensorflow/tfjs-core';
import { presentMean } from './present-mean.js';

/** β_m: how much each modality needs its prototypes; 0 for one that no sample of the batch has. */
export function pmrWeights<M extends string>(
  scores: PerModality<M, number>,
  reference: 'paper' | 'official',
): Record<M, number> {
  const all = Object.keys(scores) as M[];
  const highest = Math.max(...all.map((m) => scores[m]).filter((score) => !Number.isNaN(score)));
  return perModality(all, (m) => {
    if (!(scores[m] < highest)) return 0;
    return reference === 'official' ? 1 : Math.min(1, highest / scores[m] - 1);
  });
}

/** − μ · mean of the others' β · H(softmax(q_m)) of the modality that is ahead. */
export function aheadTerm<M extends string>(
  {
    q,
    behind,
    scores,
  }: { q: PerModality<M, tf.Tensor2D>; behind: PerModality<M, number>; scores: PerModality<M, number> },
  step: Step<M>,
  weight: number,
): tf.Tensor | undefined {
  const there = step.model.modalities.filter((m) => !Number.isNaN(scores[m]));
  if (there.length < 2) return undefined;
  const [first] = there.toSorted((a, b) => scores[b] - scores[a]) as [M, ...M[]];
  const mean = there.reduce((sum, m) => sum + (m === first ? 0 : behind[m]), 0) / (there.length - 1);
  if (mean * weight === 0) return undefined;
  const log = tf.logSoftmax(q[first]);
  const negative = tf.sum<tf.Tensor1D>(tf.mul(tf.exp(log), log), 1);
  return tf.mul(presentMean(negative, step, [first]), weight * mean);
}
