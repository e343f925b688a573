import * as tf from '@tensorflow/tfjs-core';
import { modalityInScope, type ParameterScope } from '@g2d/fusion';
import { OptionError, perModality, type NamedGradient, type PerModality } from '@g2d/core';
import { SequentialModalityPrioritization, type SmpOptions, type SmpState } from '@g2d/smp';
import type { AllReduce, Method, Step } from '@g2d/trainer';
import { batchConfidence } from '@g2d/trainer/internal';

const SHARED_OPTIONS = [
  'phaseEpochs',
  'onZero',
  'suppression',
  'ranking',
  'schedule',
  'ties',
  'suppressedBatchNorm',
] as const;

/** What it takes from `@g2d/smp` as it is. */
type SharedOptions<M extends string> = Pick<SmpOptions<M>, (typeof SHARED_OPTIONS)[number]>;

/** One record may hold the options of all methods that are stacked; `@g2d/smp` wants its own alone. */
const sharedOptions = <M extends string>(options: SharedOptions<M>): SharedOptions<M> =>
  Object.fromEntries(
    SHARED_OPTIONS.filter((option) => option in options).map((option) => [option, options[option]]),
  ) as unknown as SharedOptions<M>;

/** Settings of `modalityPrioritization`; those without a word here are those of `@g2d/smp`. */
export interface PrioritizationOptions<M extends string = string> extends SharedOptions<M> {
  /**
   * `'conv'` (default): convolution kernels only, as the released code does; normalization and heads go on.
   * `'encoder'`: all of θ_m, as Eq. 8 is written. `'encoder+head'`: the modality's classifier too.
   */
  readonly scope?: ParameterScope;
  /** For a regression: variance of the training targets, see `regressionConfidence` in `@g2d/smp`. */
  readonly targetVariance?: number;
}

/**
 * Sequential modality prioritization on any loss: in each step of a phase, the teachers' confidence on the batch
 * decides which modality trains. Samples that lack a modality do not count for it. With `ranking: { fixed }` (and complete
 * suppression) there need be no teachers.
 *
 * @throws {OptionError} In `onTrainStart`, if the scope contains no variable of some modality (training would silently be
 * plain joint training), or if a regression has no `targetVariance`.
 * @see G2D, Sec. 3.2, Eq. 5 to 8, Alg. 1
 */
export function modalityPrioritization<M extends string>({
  scope = 'conv',
  targetVariance,
  ...options
}: PrioritizationOptions<M>): Method<M> {
  let smp: SequentialModalityPrioritization<M>;
  let confidence: PerModality<M, number | null>;
  /** The variables that no other method has taken out of the step; not known before one. */
  let offered: ReadonlySet<string> | undefined;
  const { ranking, suppression } = options;
  const isFixed = typeof ranking === 'object' && 'fixed' in ranking && suppression !== 'partial';
  return {
    name: 'smp',
    // An order that is given needs nobody's judgement.
    ...(!isFixed && { teachers: 'unimodal' as const }),
    onTrainStart({ model, task }) {
      if (task === 'regression' && targetVariance === undefined && !isFixed) {
        throw new OptionError(
          'The confidence of a regression is relative to the variance of its targets; give `targetVariance`, that of the training part.',
          { option: 'targetVariance', value: undefined, accepted: 'a number above 0' },
        );
      }
      smp = new SequentialModalityPrioritization({
        ...sharedOptions<M>(options),
        modalities: model.modalities,
        modalityOf: modalityInScope(model, scope),
        variables: model.variables,
      });
    },
    onStepStart(step: Step<M>) {
      const { epoch, model, batch, task, allReduce } = step;
      const samples = perModality(model.modalities, (modality) => presentCount(batch, modality));
      const own = perModality(model.modalities, (modality) => {
        if (samples[modality] === 0 || isFixed) return 0;
        const { logits } = step.teachers[modality];
        return batchConfidence(batch, modality, logits, { task, targetVariance });
      });
      // Of the batches of all processes, so that each of them ranks alike.
      const all = meansOverProcesses(allReduce, own, samples);
      confidence = all.means;
      smp.update({ epoch, confidence, samples: all.samples });
    },
    activeVariables(variables) {
      offered = new Set(variables.map(({ name }) => name));
      return smp.activeVariables(variables);
    },
    encoderTraining: (modality) => smp.trainingMode(modality),
    // What another method has taken out stays out: a gradient of zeros would let it decay.
    afterBackward: (gradients, { model }) =>
      smp
        .modulate(toMap(gradients), model.variables)
        .map(({ name, tensor }) => ({ name, tensor: offered?.has(name) === false ? null : tensor })),
    stepLog: () => ({
      ...(!isFixed && { confidence: mapNulls(confidence) }),
      coefficients: smp.coefficients,
    }),
    getState: () => ({ values: smp.getState() }),
    setState: ({ values }) => smp.setState(values as SmpState<M>),
  };
}

/** Each modality's mean over the samples of all processes; `null` if none has the modality. */
function meansOverProcesses<M extends string>(
  { sum }: AllReduce,
  means: PerModality<M, number>,
  samples: PerModality<M, number>,
): { means: PerModality<M, number | null>; samples: PerModality<M, number> } {
  const modalities = Object.keys(means) as M[];
  const sums = Float64Array.from(modalities.flatMap((m) => [means[m] * samples[m], samples[m]]));
  sum(sums);
  const total = perModality(modalities, (modality) => sums[2 * modalities.indexOf(modality) + 1] as number);
  return {
    samples: total,
    means: perModality(modalities, (modality) => {
      if (total[modality] === 0) return null;
      // Exact where one process has all of them: a mean times a count, divided again, may round.
      if (total[modality] === samples[modality]) return means[modality];
      return (sums[2 * modalities.indexOf(modality)] as number) / total[modality];
    }),
  };
}

/** How many samples of a batch have a modality. */
const presentCount = <M extends string>({ ids, present }: Step<M>['batch'], modality: M): number => {
  const mask = present?.[modality];
  return mask ? mask.dataSync<'float32'>().reduce((sum, value) => sum + value, 0) : ids.length;
};

/** A batch without a modality has no confidence in it: no number for the log's mean. */
const mapNulls = <M extends string>(values: PerModality<M, number | null>): PerModality<M, number> =>
  perModality(Object.keys(values) as M[], (modality) => values[modality] ?? NaN);

const toMap = (gradients: readonly NamedGradient[]): Record<string, tf.Tensor> =>
  Object.fromEntries(gradients.flatMap(({ name, tensor }) => (tensor ? [[name, tensor]] : [])));
