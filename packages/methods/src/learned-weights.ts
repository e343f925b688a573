import type { LossTerms, Outputs, Probe, Training } from '@g2d/core';
import { gradientDot } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { matchingLoss, type Matching } from './matching-loss.js';
import type { MatchingWeights } from './matching-weights.js';

/** What a gradient by the weight of matching is of. */
export interface WeightProblem {
  readonly weights: MatchingWeights;
  readonly matching: Matching;
  /** Of the training's loss. */
  readonly factor: number;
  /** Training samples that nothing trains on. */
  readonly ids: readonly string[];
}

/** The gradient by the weight of matching, and the losses on the samples. */
export interface WeightGradient {
  readonly gradient: number;
  readonly losses: { readonly classification: number; readonly matching: number };
}

/** Both losses of a batch. */
const lossesOf = <M extends string>(outputs: Outputs<M>, probe: Probe<M>, matching: Matching) => ({
  classification: probe.taskLoss(outputs.logits),
  matching: matchingLoss(outputs, probe, matching),
});

/** Looks at the held samples. */
async function onHeld<M extends string, T>(
  training: Training<M>,
  ids: readonly string[],
  look: (probe: Probe<M>) => T,
  trains: boolean,
): Promise<T | undefined> {
  const batch = await training.samples(ids);
  try {
    return training.probe(batch, look, { training: trains });
  } finally {
    tf.dispose(batch);
  }
}

/**
 * As released: the mean entry of q in one parameter, q the Hessian of w_c CE + w_m A on the held samples times the gradient of CE there.
 *
 * @param options `parameter`: default the model's first. `trains`: batch statistics, and the running ones move.
 * @returns `undefined` where the samples cannot be run on.
 */
export async function releasedGradient<M extends string>(
  training: Training<M>,
  { weights, matching, ids }: WeightProblem,
  { parameter, trains }: { readonly parameter: string | undefined; readonly trains: boolean },
): Promise<WeightGradient | undefined> {
  const { parameters } = training.model;
  const place = parameter === undefined ? 0 : parameters.findIndex(({ name }) => name === parameter);
  const look = (probe: Probe<M>): WeightGradient => {
    const { losses, gradients } = probe.valueAndGrads(() => {
      const outputs = probe.forward({ runningStatistics: 'keep' });
      const { classification, matching: A } = lossesOf(outputs, probe, matching);
      return { loss: { total: classification, matching: A } satisfies LossTerms, outputs };
    });
    const product = probe.hessianProduct(() => {
      const { classification, matching: A } = lossesOf(probe.forward(), probe, matching);
      return tf.add(tf.mul(classification, weights.classification), tf.mul(A, weights.matching));
    }, gradients)[place]?.tensor;
    return {
      gradient: product ? (tf.mean(product).dataSync()[0] as number) : 0,
      losses: { classification: losses['total'] as number, matching: losses['matching'] as number },
    };
  };
  return onHeld(training, ids, look, trains);
}

/**
 * The gradient of the problem that the paper states, for one step of plain gradient descent with the present learning rate: θ′ = θ − η ∇L(θ) on the
 * coming epoch's first batch, and of CE(θ′) on the held samples the derivative by w_m, with w_c = 1 − w_m: −η c ⟨∇CE(θ′), ∇A(θ) − ∇CE(θ)⟩, c the loss' factor.
 *
 * @returns `undefined` where one of the two batches cannot be run on.
 */
export async function exactGradient<M extends string>(
  training: Training<M>,
  { weights, matching, ids, factor }: WeightProblem,
  { epoch, held: without }: { readonly epoch: number; readonly held: readonly string[] },
): Promise<WeightGradient | undefined> {
  const batch = await firstOf(training.batches(epoch, without));
  if (!batch) return undefined;
  const held = await training.samples(ids);
  const rate = training.optimizer.learningRate * factor;
  try {
    return training.probe(
      batch,
      (probe) => {
        const gradientOf = (part: 'classification' | 'matching', of: Probe<M>) =>
          of.valueAndGrads(() => {
            const outputs = of.forward({ runningStatistics: 'keep' });
            const both = lossesOf(outputs, of, matching);
            return { loss: { ...both, total: both[part] }, outputs };
          });
        const CE = gradientOf('classification', probe).gradients;
        const A = gradientOf('matching', probe).gradients;
        const steps = CE.map(({ parameter, tensor }, i) => {
          const other = A[i]?.tensor;
          const terms = [
            ...(tensor ? [tf.mul(tensor, weights.classification)] : []),
            ...(other ? [tf.mul(other, weights.matching)] : []),
          ];
          return { parameter, change: terms.length > 0 ? tf.mul(tf.addN(terms), -rate) : null };
        });
        const before = steps.map(({ parameter: { variable } }) => tf.clone(variable));
        try {
          for (const { parameter, change } of steps)
            if (change) parameter.variable.assign(tf.add(parameter.variable, change));
          return training.probe(held, (ahead) => {
            const { losses, gradients } = gradientOf('classification', ahead);
            const { classification, matching: own } = losses as Record<string, number>;
            return {
              gradient: -rate * (gradientDot(gradients, A) - gradientDot(gradients, CE)),
              losses: { classification: classification as number, matching: own as number },
            };
          });
        } finally {
          steps.forEach(({ parameter }, i) => parameter.variable.assign(before[i] as tf.Tensor));
        }
      },
      { training: true },
    );
  } finally {
    tf.dispose([batch, held]);
  }
}

async function firstOf<T>(values: AsyncIterable<T>): Promise<T | undefined> {
  for await (const value of values) return value;
  return undefined;
}
