import {
  defineMethod,
  perModality,
  type AllReduce,
  type Hooks,
  type LossTerms,
  type Outputs,
  type Step,
} from '@g2d/core';
import { readTogether, valuesOf } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { classIds } from './class-ids.js';
import { adamChange, balanceGradient, slowness, type AdamMoments } from './logit-weights.js';
import { separateLinearHeads } from './separate-heads.js';
import { trueClassLoss } from './true-class-loss.js';
import * as recipes from './recipes.js';

const options = z.strictObject({
  weightRate: z
    .number()
    .min(0)
    .default(0.001)
    .describe('learning rate of the weights, which have an Adam of their own; 0: they stay 1'),
});

interface State {
  weights: Record<string, number>;
  moments: Record<string, AdamMoments>;
  /** L_h⁰, of the heads that have seen something. */
  first: Record<string, number>;
}

/**
 * OLM, online logit modulation: a learned number for each head, the fused one among them, that keeps the lengths of their logits in step with how much they
 * still have to learn.
 *
 * L = Σ_h CE(w_h z_h, y), h the fused head and one of each modality;  w ← Adam of ∂/∂w (L + Σ_h mean of |w_h ‖z_h‖ − n̄ r_h|),
 * n̄ = mean_h w_h ‖z_h‖ of a sample, r_h = ρ_h / mean_j ρ_j, ρ_h = L_h / L_h⁰; n̄ and r are constants
 *
 * L_h⁰ is the loss of the present batch in the first epoch, and from then on that of its last batch, as in the released code. Losses are means where the code has sums: the Adam
 * of the weights does not see that, nor does one of the network without weight decay (the code has 0.0002, which counts B times as much beside a mean). Predictions are z, whose
 * order of classes no positive w changes. This is the form that the code calls a variant; its other one has r = softmax of generalization by convergence, from a validation batch
 * beside every training batch, which a step has not. The hook `fusion` makes a fused head on the concatenated features and linear ones beside it; any other will do. With presence
 * masks all of a modality is over the samples that have it. The log has `logitWeights`: w_m.
 *
 * @throws {OptionError} If an option is not accepted.
 * @example
 * await train({ model, methods: [olm()], … }); // its fusion: olm().fusion({ widths, classes, seed })
 * @see Zong et al., Balancing Multimodal Learning via Online Logit Modulation (IJCAI 2024); released code, `engine_logits.py`; of the paper we know the abstract
 */
export const olm = defineMethod({
  name: 'olm',
  label: 'OLM',
  summary: 'a learned weight keeps each head’s logits in step with what it has still to learn',
  source: { paper: 'Zong et al., IJCAI 2024', code: 'anonymous-gitlab/OLM c4a4244' },
  needs: { task: 'classification', modalities: { min: 2 } },
  recipe: recipes.olm,
  options,
  create: <M extends string>({ weightRate }: z.output<typeof options>): Hooks<M, State> => ({
    fusion: separateLinearHeads,
    init({ model }) {
      const heads = ['fused', ...model.modalities];
      return {
        weights: perModality(heads, () => 1),
        moments: perModality(heads, () => ({ mean: 0, square: 0, steps: 0 })),
        first: {},
      };
    },
    loss(outputs, step, { weights }) {
      const { modalities } = step.model;
      const weighed = (logits: tf.Tensor2D, head: string) =>
        tf.mul<tf.Tensor2D>(logits, weights[head] as number);
      const student = step.taskLoss(weighed(outputs.logits, 'fused'));
      const own = perModality(modalities, (m) => step.taskLoss(weighed(outputs.unimodalLogits[m], m), m));
      step.log({ logitWeights: perModality(modalities, (m) => weights[m] as number) });
      const total = tf.addN([student, ...modalities.map((m) => own[m])]) as tf.Scalar;
      return { ...own, student, total } satisfies LossTerms;
    },
    // Here, where a step on several batches sees all of them at once.
    edit(gradients, outputs, step, state) {
      if (weightRate > 0) tf.tidy(() => moveWeights(outputs, step, state, weightRate));
      return gradients;
    },
  }),
});

function moveWeights<M extends string>(
  { logits, unimodalLogits }: Outputs<M>,
  step: Step<M>,
  state: State,
  weightRate: number,
): void {
  const { batch, model, allReduce } = step;
  const { weights } = state;
  const samples = batch.ids.map((_, i) => i);
  const heads = [
    { head: 'fused', z: logits, mask: undefined },
    ...model.modalities.map((m) => ({ head: m, z: unimodalLogits[m], mask: valuesOf(batch.present?.[m]) })),
  ];
  const numbers = readTogether(
    heads.flatMap(({ head, z }) => {
      const scaled = tf.mul<tf.Tensor2D>(z, weights[head] as number);
      const wrong = tf.sub(tf.softmax(scaled), tf.oneHot(classIds(batch), z.shape[1]));
      return [
        trueClassLoss(classIds(batch), scaled),
        tf.sum(tf.mul(wrong, z), 1),
        tf.norm(z, 'euclidean', 1),
      ];
    }),
  );
  const known = heads.map(({ head, mask }, k) => {
    const [losses, slopes, norms] = numbers.slice(3 * k, 3 * k + 3) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const has = (i: number): boolean => !mask || (mask[i] as number) > 0;
    return { head, has, rows: samples.filter(has), losses, slopes, norms };
  });
  const sumOf = (rows: readonly number[], values: ArrayLike<number>): number =>
    rows.reduce((sum, i) => sum + (values[i] as number), 0);
  const sums = summed(
    allReduce,
    known.flatMap(({ rows, losses, slopes }) => [rows.length, sumOf(rows, losses), sumOf(rows, slopes)]),
  );
  const means = known.map(({ head }, k) => {
    const [count = 0, loss = 0, slope = 0] = sums.slice(3 * k, 3 * k + 3);
    return { head, count, loss: loss / count, slope: slope / count };
  });
  const there = means.filter(({ count }) => count > 0);
  for (const { head, loss } of there)
    if (step.epoch === 1 || state.first[head] === undefined) state.first[head] = loss;
  const slow = slowness(Object.fromEntries(there.map(({ head, loss }) => [head, loss])), state.first);
  const balance = samples.map((i) => {
    const own = known.filter(({ has }) => has(i));
    return balanceGradient(
      Object.fromEntries(own.map(({ head, norms }) => [head, norms[i] as number])),
      weights,
      slow,
    );
  });
  const pulls = summed(
    allReduce,
    known.map(({ head }) => balance.reduce((sum, of) => sum + (of[head] ?? 0), 0)),
  );
  means.forEach(({ head, count, slope }, k) => {
    const gradient = count > 0 ? slope + (pulls[k] as number) / count : 0;
    const { change, moments } = adamChange(state.moments[head] as AdamMoments, gradient, weightRate);
    state.moments[head] = moments;
    weights[head] = (weights[head] as number) + change;
  });
}

function summed({ processes, sum }: AllReduce, values: readonly number[]): number[] {
  const all = Float64Array.from(values);
  if (processes > 1) sum(all);
  return [...all];
}
