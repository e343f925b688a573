import { OptionError, perModality, type LossTerms, type Outputs, type Pass, type Step } from '@g2d/core';
import { stopGradient, trueClassProbability } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { BoostedOutputs } from './boost-fusion.js';
import { classIds } from './class-ids.js';
import { presentMean } from './present-mean.js';
import { trueClassLoss } from './true-class-loss.js';

/** Where a training is in ReconBoost's turns. */
export interface BoostStage<M extends string> {
  /** From 0. */
  readonly t: number;
  readonly order: readonly M[];
  readonly pretrained: boolean;
  /** Whether the loss has a term for the agreement with the modality that was boosted before. */
  readonly agrees: boolean;
  readonly reference: 'paper' | 'official';
}

/** What a boosting step looks at. */
export interface BoostOutputs<M extends string> extends Outputs<M> {
  /** F_−m, a constant; absent where nobody else is in the ensemble. */
  readonly others?: tf.Tensor2D;
  /** u of the modality that was boosted before, a constant; absent in the first stage. */
  readonly before?: tf.Tensor2D;
}

/** The modality whose agreement counts in a stage. */
export const previousIn = <M extends string>({ t, order, agrees }: BoostStage<M>): M | undefined =>
  agrees && t > 0 ? order[(t - 1) % order.length] : undefined;

/** u_m: of the shared head, or until the modality's own first turn of its teacher's. */
function logitsOf<M extends string>(
  outputs: Outputs<M>,
  m: M,
  { t, order, pretrained }: BoostStage<M>,
): tf.Tensor2D {
  const { ownLogits } = outputs as BoostedOutputs<M>;
  return (pretrained && order.indexOf(m) > t && ownLogits[m]) || outputs.unimodalLogits[m];
}

const rateOf = <M extends string>(outputs: Outputs<M>): tf.Scalar => {
  const { rate } = outputs as BoostedOutputs<M>;
  if ((rate as tf.Scalar | undefined) !== undefined) return rate;
  throw new OptionError(
    "ReconBoost needs a shared head and a number that scales the ensemble. Build the model's fusion with the method's own `fusion`.",
    {
      option: 'model',
      value: undefined,
      accepted: 'the fusion of ReconBoost',
    },
  );
};

/** b Σ u_m over those of the modalities that a sample has. */
function sumOf<M extends string>(
  pass: Pass<M>,
  outputs: Outputs<M>,
  { stage, members }: { readonly stage: BoostStage<M>; readonly members: readonly M[] },
): tf.Tensor2D {
  const parts = members.map((m) => {
    const logits = logitsOf(outputs, m, stage);
    const mask = pass.batch.present?.[m];
    return mask ? tf.where(tf.greater(tf.reshape(mask, [-1, 1]), 0), logits, tf.zerosLike(logits)) : logits;
  });
  return tf.mul(tf.addN(parts) as tf.Tensor2D, rateOf(outputs));
}

/** The ensemble F, from a pass with its members alone. */
export function ensembleOutputs<M extends string>(
  pass: Pass<M>,
  stage: BoostStage<M>,
  members: readonly M[],
): Outputs<M> {
  const outputs = pass.forward(pass.training ? { modalities: members } : {});
  const unimodalLogits = perModality(pass.model.modalities, (m) => logitsOf(outputs, m, stage));
  return { ...outputs, unimodalLogits, logits: sumOf(pass, outputs, { stage, members }) };
}

/** u_m of the modality that is boosted, and what the others say: constants from a pass of their own. */
export function boostOutputs<M extends string>(
  pass: Pass<M>,
  stage: BoostStage<M>,
  boosted: M,
): BoostOutputs<M> {
  const { t, order, pretrained, reference } = stage;
  const previous = previousIn(stage);
  const members = (pretrained ? order : order.slice(0, t)).filter((m) => m !== boosted);
  const own = pass.forward({ modalities: [boosted] });
  const constants = (modalities: readonly M[]): Outputs<M> => pass.forward({ modalities, gradients: false });
  const side = members.length > 0 ? constants(members) : undefined;
  // The released code runs that encoder once more, which moves its running statistics again.
  const again = previous && previous !== boosted && reference === 'official' ? constants([previous]) : side;
  const before = previous && (previous === boosted ? own : again);
  const others = side && sumOf(pass, side, { stage, members });
  const mine = logitsOf(own, boosted, stage);
  const unimodalLogits = perModality(pass.model.modalities, (m) =>
    m === boosted || !side ? logitsOf(own, m, stage) : logitsOf(side, m, stage),
  );
  return {
    features: own.features,
    unimodalLogits,
    logits: others ? tf.add(others, tf.mul(mine, rateOf(own))) : tf.mul(mine, rateOf(own)),
    ...(others && { others }),
    ...(before && previous && { before: stopGradient(logitsOf(before, previous, stage)) }),
  };
}

/** The loss of a boosting step. */
export function boostingLoss<M extends string>(
  { unimodalLogits, others, before }: BoostOutputs<M>,
  step: Step<M>,
  {
    weight1,
    weight2,
    alpha,
    reference,
    boosted,
    previous,
  }: {
    readonly weight1: number;
    readonly weight2: number;
    readonly alpha: number;
    readonly reference: 'paper' | 'official';
    readonly boosted: M;
    readonly previous: M | undefined;
  },
): LossTerms {
  const labels = classIds(step.batch);
  const own = unimodalLogits[boosted];
  const [, classes] = own.shape;
  // Without others every sample is taken for known, as the softmax of a single number says in the released code.
  const known = others ? trueClassProbability(labels, others) : tf.onesLike(labels).toFloat();
  const weights = tf.div(tf.sub(weight1, tf.mul(known, weight2)), classes);
  const samples = tf.mul(weights, trueClassLoss(labels, own)) as tf.Tensor1D;
  const boosting = presentMean(samples, step, [boosted]);
  if (!before || previous === undefined) return { boosting, total: boosting };
  const mine = reference === 'official' ? stopGradient(own) : own;
  const apart = tf.mean(tf.square(tf.sub(tf.softmax(mine), tf.softmax(before))), 1) as tf.Tensor1D;
  const agreement = presentMean(apart, step, [boosted, previous]);
  return { boosting, agreement, total: tf.add(boosting, tf.mul(agreement, alpha)) };
}
