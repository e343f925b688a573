import {
  defineMethod,
  OptionError,
  perModality,
  type Hooks,
  type PerModality,
  type Step,
  type Training,
} from '@g2d/core';
import { SequentialModalityPrioritization, type Ranking, type SmpState } from '@g2d/smp';
import { trueClassProbability } from '@g2d/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { referenceOption } from './options.js';
import { inScope, scopeNeeds, scopeOption } from './scope.js';
import * as recipes from './recipes.js';

const options = z.strictObject({
  phaseEpochs: z
    .array(z.int().min(0))
    .readonly()
    .describe(
      'τ_1 … τ_k: epochs of each phase, one for each modality; the last is the joint phase, as in [150, 150]',
    ),
  // As in @g2d/smp, and as Eq. 8: every encoder has such parameters.
  scope: scopeOption('encoder'),
  onZero: z
    .enum(['zero', 'freeze'])
    .default('zero')
    .describe('what κ = 0 does to momentum and weight decay: nothing, or it stops them'),
  suppression: z
    .enum(['complete', 'partial'])
    .default('complete')
    .describe('κ of the modalities that do not go first: 0, or 1 − tanh(ρ_m / ρ_p) (Table 6)'),
  ranking: z
    .union([
      z.enum(['batch', 'epoch', 'dataset']),
      z.strictObject({ fixed: z.array(z.string()).readonly() }),
      z.strictObject({ dataset: z.record(z.string(), z.number()) }),
    ])
    .default('batch')
    .describe(
      'which ρ ranks the modalities: of the batch; its mean over the previous epoch; over the training split once; or an order that is given, least confident first',
    ),
  reference: referenceOption.describe(
    'of the schedule: as the paper, or as the released code, which ends every phase but the last one epoch later',
  ),
  ties: z
    .enum(['together', 'order'])
    .default('together')
    .describe(
      'modalities exactly as confident as the first train along, or the earlier one counts as less confident',
    ),
  suppressedBatchNorm: z
    .enum(['training', 'inference'])
    .default('training')
    .describe(
      'batch normalization of a suppressed encoder: on the batch, as in the released code, or on running statistics',
    ),
  targetVariance: z
    .number()
    .positive()
    .optional()
    .describe('of a regression: the variance of the targets; default: that of the training split'),
});

interface State<M extends string> {
  smp: SmpState<M>;
  /** ρ of the training split, for the ranking by it. */
  readonly dataset: Record<M, number> | null;
  /** Of a regression's targets; `null` where nothing is relative to it. */
  readonly variance: number | null;
}

/**
 * Sequential modality prioritization on any loss: in each step of a phase, the teachers' confidence on the batch
 * decides which modality trains. Samples that lack a modality do not count for it. With `ranking: { fixed }` (and complete
 * suppression) there need be no teachers.
 *
 * ρ_m = mean of softmax(u_m^T)[y] (Eq. 5; for a regression `regressionConfidence` of `@g2d/smp`), κ from `@g2d/smp` (Eq. 6 and 7),
 * g ← κ_m g for the parameters of modality m in the scope (Eq. 8)
 *
 * The log has `confidence` (ρ) and `coefficients` (κ).
 *
 * @throws {OptionError} If an option is wrong; as the training begins, if the scope contains no parameter of some modality (training
 * would silently be plain joint training).
 * @see G2D, Sec. 3.2, Eq. 5 to 8, Alg. 1
 */
export const modalityPrioritization = defineMethod({
  name: 'smp',
  label: 'SMP',
  summary: 'the least confident modality trains alone first',
  source: { paper: 'G2D, ICCV 2025, Eq. 5 to 8' },
  needs: { teachers: 'unimodal' },
  recipe: recipes.modalityPrioritization,
  options,
  create: <M extends string>({
    scope,
    ranking,
    reference,
    targetVariance,
    ...shared
  }: z.output<typeof options>): Hooks<M, State<M>> => {
    const { onZero, suppression, suppressedBatchNorm } = shared;
    // An order that is given needs nobody's judgement.
    const isFixed = typeof ranking === 'object' && 'fixed' in ranking && suppression !== 'partial';
    const prioritization = (
      modalities: readonly M[],
      { dataset, smp }: Partial<State<M>>,
    ): SequentialModalityPrioritization<M> => {
      const made = new SequentialModalityPrioritization<M>({
        ...shared,
        modalities,
        modalityOf: () => undefined,
        scope: 'encoder',
        schedule: reference === 'official' ? 'released' : 'paper',
        ranking: (dataset ? { dataset } : ranking) as Ranking<M>,
      });
      if (smp) made.setState(smp);
      return made;
    };
    return {
      needs: { ...(isFixed ? {} : { teachers: 'unimodal' }), ...scopeNeeds(scope) },
      async init(training) {
        const { model, task } = training;
        const judges = task === 'regression' && !isFixed;
        const variance = judges ? (targetVariance ?? (await varianceOf(training))) : null;
        const dataset = ranking === 'dataset' ? await datasetConfidence<M>(training, variance) : null;
        return { smp: prioritization(model.modalities, { dataset }).getState(), dataset, variance };
      },
      plan(step, state) {
        const { epoch, model, presentSamples: samples } = step;
        const smp = prioritization(model.modalities, state);
        const rho = isFixed ? undefined : meanConfidence(step, state.variance);
        const confidence =
          rho && perModality(model.modalities, (m) => (Number.isNaN(rho[m]) ? null : rho[m]));
        smp.update({ epoch, samples, ...(confidence && { confidence }) });
        state.smp = smp.getState();
        const kappa = smp.coefficients;
        step.log({ ...(rho && { confidence: rho }), coefficients: kappa });
        return {
          coefficient(parameter) {
            const modality = inScope(parameter, scope);
            const factor = modality === undefined ? 1 : kappa[modality];
            return factor === 0 && onZero === 'freeze' ? null : factor;
          },
          inference: (modality) => suppressedBatchNorm === 'inference' && kappa[modality] === 0,
        };
      },
    };
  },
});

/** ρ of each sample, `[B]`. */
const confidenceOf = (labels: tf.Tensor1D, logits: tf.Tensor2D, variance: number | null): tf.Tensor1D =>
  variance === null
    ? trueClassProbability(labels, logits)
    : tf.tidy(() => {
        const error = tf.squaredDifference(tf.sigmoid(tf.reshape(logits, [-1])), labels);
        return tf.exp(tf.div<tf.Tensor1D>(error, -variance));
      });

/** ρ of each modality on a batch (Eq. 5); NaN for one that no sample has. */
function meanConfidence<M extends string>(step: Step<M>, variance: number | null): PerModality<M, number> {
  const { model, batch, teacherOutputs } = step;
  const rho = step.meanByModality(
    perModality(model.modalities, (m) => confidenceOf(batch.labels, teacherOutputs[m].logits, variance)),
  );
  // Rounding must not carry a mean of ones beyond 1.
  return perModality(model.modalities, (m) => Math.min(rho[m], 1));
}

/** ρ of each modality on the training split. */
async function datasetConfidence<M extends string>(
  { model: { modalities }, everySample, teachers }: Training<M>,
  variance: number | null,
): Promise<Record<M, number>> {
  const sums = perModality(modalities, () => ({ rho: 0, samples: 0 }));
  for await (const batch of everySample()) {
    tf.tidy(() => {
      const outputs = teachers.outputs(batch);
      for (const m of modalities) {
        const mask = batch.present?.[m];
        const rho = confidenceOf(batch.labels, outputs[m].logits, variance);
        // Chosen, not multiplied: what a teacher makes of an absent input may be NaN.
        const there = mask ? tf.where(tf.greater(mask, 0), rho, tf.zerosLike(rho)) : rho;
        sums[m].rho += tf.sum(there).dataSync()[0] as number;
        sums[m].samples += mask ? (tf.sum(mask).dataSync()[0] as number) : batch.ids.length;
      }
    });
    tf.dispose(batch);
    await tf.nextFrame();
  }
  const absent = modalities.find((m) => sums[m].samples === 0);
  if (absent === undefined) return perModality(modalities, (m) => Math.min(sums[m].rho / sums[m].samples, 1));
  throw new OptionError(`No training sample has ${absent}, so nothing ranks it. Give another \`ranking\`.`, {
    option: 'ranking',
    value: 'dataset',
    accepted: 'batch, epoch, { fixed }',
  });
}

/** Variance of the training split's targets. */
async function varianceOf<M extends string>({ everySample }: Training<M>): Promise<number> {
  const targets: number[] = [];
  for await (const batch of everySample([])) {
    targets.push(...batch.labels.dataSync<'float32'>());
    tf.dispose(batch);
  }
  const mean = targets.reduce((sum, target) => sum + target, 0) / targets.length;
  return targets.reduce((sum, target) => sum + (target - mean) ** 2, 0) / targets.length;
}
