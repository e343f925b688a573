import { defineMethod, perModality, type Hooks, type LossTerms, type Step } from '@g2d/core';
import { readTogether, valuesOf } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { classIds } from './class-ids.js';
import { addedAndScaled, emptyHistory, placesIn, type LossHistory } from './loss-history.js';
import { energyConfidence, qualityFusion } from './quality-fusion.js';
import { trueClassLoss } from './true-class-loss.js';
import * as recipes from './recipes.js';

const options = z.strictObject({
  lambda: z
    .number()
    .min(0)
    .default(0.1)
    .describe(
      'λ: how much the order of the confidences counts; the released code has 0.1 for NYU Depth v2, 1 for SUN RGB-D and for text and image',
    ),
  scale: z.number().positive().default(0.1).describe('α: a confidence is this times minus the energy'),
  constantWeights: z
    .boolean()
    .default(false)
    .describe(
      'no gradient of the fused loss goes through the confidences, as in the released code for text and image; in that for RGB-D it does',
    ),
  margin: z
    .enum(['allowed', 'required'])
    .default('allowed')
    .describe(
      'how far the losses of two samples are apart: as far may the confidence of the worse one be ahead, as in the released code; or as far at least must it be behind, as in the correctness ranking loss from which the term comes',
    ),
});

/**
 * QMF, quality-aware multimodal fusion: each modality's logits are weighed by how sure it is of the sample, and it learns to be less sure where it has been wrong.
 *
 * z = Σ_m c_m u_m,  c_m = α · log Σ_j exp(u_m,j);  L = CE(z, y) + Σ_m CE(u_m, y) + λ Σ_m R_m,
 * R_m = mean over i of max(0, g_ij (c_m,i − c_m,j) ∓ |l_i − l_j|),  g_ij = sign(l_i − l_j), j the sample after i in the batch, of the last the first
 *
 * l_i is the sum of a sample's losses CE(u_m, y) so far, this step's too, scaled so that all training samples are in [0, 1]; where all are alike R_m is 0. The sign is − with
 * `margin` 'allowed', + with 'required'. The hook `fusion` makes the heads and z, predictions included. With several processes sums and pairs are those of all.
 * With presence masks all is over the samples that have the modality. Without λ there is no history, and it needs no `everySample`. The log has `confidences`: means of c_m.
 *
 * @throws {OptionError} If an option is not accepted; as the training begins, if it has no `everySample`.
 * @example
 * const method = qmf({ lambda: 0.1 });
 * await train({ model, methods: [method], everySample, … }); // its fusion: method.fusion({ widths, classes, seed })
 * @see Zhang et al., Provable Dynamic Fusion for Low-Quality Multimodal Data (ICML 2023); released code
 */
export const qmf = defineMethod({
  name: 'qmf',
  label: 'QMF',
  summary: 'weighs modalities by how sure they are of a sample, and teaches them doubt',
  source: { paper: 'Zhang et al., ICML 2023', code: 'QMF 276b2d7 (RGB-D), 91206ec (text and image)' },
  needs: { task: 'classification', modalities: { min: 2 } },
  recipe: recipes.qmf,
  options,
  create: <M extends string>(own: z.output<typeof options>): Hooks<M, { history: LossHistory<M> | null }> => {
    const { lambda, scale, margin } = own;
    const find = placesIn();
    return {
      fusion: (given) => qualityFusion(given, own),
      init: async (training) => ({ history: lambda > 0 ? await emptyHistory(training) : null }),
      loss({ logits, unimodalLogits }, step, { history }) {
        const { modalities } = step.model;
        const student = step.taskLoss(logits);
        const single = perModality(modalities, (m) => step.taskLoss(unimodalLogits[m], m));
        const confidences = perModality(modalities, (m) => energyConfidence(unimodalLogits[m], scale));
        step.log({ confidences: step.meanByModality(confidences) });
        const ranks: Record<string, tf.Scalar> = {};
        if (history) {
          const own = readTogether(
            modalities.map((m) => trueClassLoss(classIds(step.batch), unimodalLogits[m])),
          );
          for (const [k, m] of modalities.entries()) {
            const rows = presentRows(step, m);
            const places = find(
              history.ids,
              rows.map((row) => step.batch.ids[row] as string),
            );
            const losses = rows.map((row) => own[k]?.[row] as number);
            const scaled = addedAndScaled(history, m, { places, losses, allReduce: step.allReduce });
            const rank = rankOfAll(confidences[m], { rows, scaled, step, margin });
            ranks[`rank.${m}`] = tf.mul(rank, step.share(m, 'processes'));
          }
        }
        const terms = Object.values(ranks).map((rank) => tf.mul(rank, lambda));
        const total = tf.addN([student, ...modalities.map((m) => single[m]), ...terms]) as tf.Scalar;
        return { ...single, ...ranks, student, total } satisfies LossTerms;
      },
    };
  },
});

/** R of the samples of all processes that have a modality; 0 where none has it. */
function rankOfAll<M extends string>(
  confidences: tf.Tensor1D,
  {
    rows,
    scaled,
    step,
    margin,
  }: {
    /** Of this process. */
    readonly rows: readonly number[];
    readonly scaled: readonly number[];
    readonly step: Step<M>;
    readonly margin: 'allowed' | 'required';
  },
): tf.Scalar {
  // A sample without the modality has no loss, which is never below 0.
  const known = new Float32Array(step.batch.ids.length).fill(-1);
  rows.forEach((row, i) => (known[row] = scaled[i] as number));
  const losses = [...step.allRows(tf.tensor1d(known)).dataSync()];
  const there = losses.flatMap((loss, row) => (loss < 0 ? [] : [row]));
  const all = step.allRows(confidences);
  if (there.length === 0) return tf.scalar(0);
  return rankLoss(
    tf.gather(all, there),
    there.map((row) => losses[row] as number),
    margin,
  );
}

/** Rows of the samples that have a modality. */
function presentRows<M extends string>({ batch }: Step<M>, modality: M): number[] {
  const mask = valuesOf(batch.present?.[modality]);
  return batch.ids.map((_, row) => row).filter((row) => !mask || (mask[row] as number) > 0);
}

/**
 * R: mean over i of max(0, g (c_i − c_j) ∓ |l_i − l_j|), each sample beside the next one.
 *
 * @param losses l_i, of as many samples as there are confidences.
 */
export function rankLoss(
  confidences: tf.Tensor1D,
  losses: readonly number[],
  margin: 'allowed' | 'required',
): tf.Scalar {
  const next = losses.map((_, i) => (i + 1) % losses.length);
  const apart = losses.map((loss, i) => loss - (losses[next[i] as number] as number));
  const ahead = tf.mul(tf.sub(confidences, tf.gather(confidences, next)), apart.map(Math.sign));
  const distance = apart.map((by) => (margin === 'allowed' ? -Math.abs(by) : Math.abs(by)));
  return tf.mean(tf.relu(tf.add(ahead, distance)));
}
