import { defineMethod, perModality, type Hooks, type PerModality } from '@g2d/core';
import { SequentialModalityPrioritization, type Ranking, type SmpState } from '@g2d/smp';
import { z } from 'zod';
import { referenceOption } from './options.js';
import { inScope, scopeNeeds, scopeOption } from './scope.js';
import * as recipes from './recipes.js';
import { datasetConfidence, meanConfidence, varianceOf } from './teachers-judgement.js';

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
 * ρ_m = mean of softmax(u_m^T)[y] (Eq. 5; for a regression `regressionConfidence` of `@g2d/smp`, for a multi-label task `labelSetProbability`), κ from `@g2d/smp` (Eq. 6 and 7),
 * g ← κ_m g for the parameters of modality m in the scope (Eq. 8)
 *
 * The log has `confidence` (ρ), where it lies in the middle 80 % of the epoch's batches (`confidenceLow`, `confidenceHigh`), the share of
 * batches in which each modality is the least confident (`leastConfident`), and `coefficients` (κ).
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
        if (rho) step.log({ confidence: rho }, { spread: true });
        if (confidence) step.log({ leastConfident: shareOfLeast(confidence) });
        step.log({ coefficients: kappa });
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

/** 1 for the least confident modality of a batch, and 0 for the others; several that are equally so share it. */
function shareOfLeast<M extends string>(confidence: PerModality<M, number | null>): PerModality<M, number> {
  const modalities = Object.keys(confidence) as M[];
  const known = modalities.flatMap((m) => confidence[m] ?? []);
  const least = Math.min(...known);
  const count = known.filter((rho) => rho === least).length;
  // Of a batch that has no modality there is nothing to say.
  return perModality(modalities, (m) => (count === 0 ? NaN : confidence[m] === least ? 1 / count : 0));
}
