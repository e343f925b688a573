import { OptionError, type OptimizerSettings } from '@g2d/core';
import type { TrainOptions } from '@g2d/trainer';
import type { RunConfig } from './config-schema.js';
import { defined } from './defined.js';
import type { RunData } from './open-data.js';

type TrainSettings = Pick<
  TrainOptions<string>,
  'optimizer' | 'accumulate' | 'loss' | 'freeze' | 'earlyStopping' | 'batchNorm'
>;

/**
 * The settings of a configuration that the loop takes as they are, for the modalities that a run has.
 *
 * @throws {OptionError} If there are weights for other classes than the data have, or one watches a validation split that is not there.
 */
export function trainSettings(
  config: RunConfig,
  { data, modalities }: { readonly data: RunData; readonly modalities: readonly string[] },
): TrainSettings {
  const { accumulate, freeze, earlyStopping, loss, parallel } = config;
  const optimizer = defined(config.optimizer) as OptimizerSettings;
  assertWatched(config, data);
  // A teacher is trained with its student's configuration, which has other modalities too.
  const isOwn = (part: string): boolean => {
    const modality = part.replace(/^head\//, '');
    return modalities.includes(modality) || !Object.hasOwn(config.encoders, modality);
  };
  const learningRates = Object.entries(optimizer.learningRates ?? {}).filter(([part]) => isOwn(part));
  return {
    optimizer: {
      ...optimizer,
      ...(optimizer.learningRates && { learningRates: Object.fromEntries(learningRates) }),
    },
    accumulate,
    ...(parallel?.batchNorm && { batchNorm: parallel.batchNorm }),
    freeze: freeze.filter(isOwn),
    ...(earlyStopping && { earlyStopping }),
    ...(loss && { loss: { ...loss, classWeights: weightsOf(loss.classWeights, data.train.classNames) } }),
  };
}

type ClassWeights = NonNullable<RunConfig['loss']>['classWeights'];

function weightsOf(
  weights: ClassWeights,
  classNames: readonly string[],
): readonly number[] | 'balanced' | undefined {
  if (weights === undefined || weights === 'balanced') return weights;
  const option = 'loss.classWeights';
  const accepted = classNames.join(', ');
  if (Array.isArray(weights)) {
    if (weights.length === classNames.length) return weights;
    throw new OptionError(
      `"${option}" has ${weights.length} numbers, but there are ${classNames.length} classes: ${accepted}. Give one for each, in this order, or by name.`,
      { option, value: weights, accepted },
    );
  }
  const unknown = Object.keys(weights).find((name) => !classNames.includes(name));
  if (unknown === undefined)
    return classNames.map((name) => (Object.hasOwn(weights, name) ? (weights[name] as number) : 1));
  throw new OptionError(`"${option}" names "${unknown}", which is no class of the data: ${accepted}.`, {
    option,
    value: unknown,
    accepted,
  });
}

/** @throws {OptionError} If a setting watches the validation split, and it is not there or never evaluated. */
function assertWatched(
  { earlyStopping, optimizer, evaluation, select }: RunConfig,
  { validation }: RunData,
): void {
  const watches = earlyStopping
    ? 'earlyStopping'
    : optimizer.schedule?.type === 'plateau'
      ? 'optimizer.schedule'
      : undefined;
  const evaluated = evaluation.splits.includes('validation') || select === 'validation-best';
  if (!watches || (validation && evaluated)) return;
  throw new OptionError(
    `"${watches}" watches the validation split. ${validation ? 'Have "validation" among the "splits" of "evaluation".' : 'This dataset has none: hold one out, or leave the setting out.'}`,
    { option: watches, value: evaluation.splits, accepted: 'a validation split that is evaluated' },
  );
}
