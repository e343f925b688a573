import { OptionError, type Method, type Model, type OptimizerSettings } from '@g2d/core';
import { learningRateAt } from '@g2d/tensor-ops';
import { earlyStopping, type EarlyStopping } from './early-stopping.js';
import { frozenParts } from './frozen-parts.js';
import { assertLossOptions, type LossOptions } from './loss-options.js';
import { assertMethods, type Stack } from './method-stack.js';
import { watching, watchPlateaus } from './plateau.js';
import { Stages } from './stages.js';

/** What every trainer can do, with PyTorch's meaning. */
export interface TrainingSettings {
  /**
   * Batches of one step: gradients, losses and scores are those of all of them as one batch, which passes run through part by part.
   * Batch normalization sees one part at a time, and its running statistics move with each. The last step of an epoch may have fewer.
   * The inputs of all parts are in memory at once. Default 1.
   */
  readonly accumulate?: number | undefined;
  /**
   * Parts of the model that stay as they are, bit for bit: a modality (its encoder, which runs in inference mode), `head/<modality>`,
   * `fusion`. Default: none.
   */
  readonly freeze?: readonly string[] | undefined;
  /** Ends the training before its last epoch. Default: never. */
  readonly earlyStopping?: EarlyStopping | undefined;
  /** How a classifier's errors weigh. Default: all alike. */
  readonly loss?: LossOptions | undefined;
}

/**
 * The methods of a training and what its settings do as methods, in the order in which their plans, edits and ends of epochs run.
 *
 * @throws {OptionError} If they do not go together, or a setting is out of range.
 */
export function staged<M extends string>(
  options: Stack<M> & TrainingSettings & { readonly model: Model<M>; readonly optimizer: OptimizerSettings },
) {
  assertMethods(options);
  const { model, epochs, optimizer, task = 'classification', freeze = [], earlyStopping: stopping } = options;
  const run = { epochs, modalities: model.modalities, optimizer };
  const { settings } = new Stages<M>({ ...run, methods: options.methods });
  // What is wrong with a schedule is said now, and not in its first epoch.
  for (const each of settings) learningRateAt(each, 1);
  const schedules = settings.flatMap(({ schedule }) => (schedule?.type === 'plateau' ? [schedule] : []));
  for (const schedule of schedules) watching(schedule, task);
  if ((stopping || schedules.length > 0) && !options.evaluate) {
    const option = stopping ? 'earlyStopping' : 'optimizer.schedule';
    throw new OptionError(`\`${option}\` watches the validation split; pass \`evaluate\`.`, {
      option,
      value: stopping ?? schedules[0],
      accepted: 'a training with validation',
    });
  }
  const methods: Method<M>[] = [
    ...options.methods,
    ...(freeze.length > 0 ? [frozenParts(freeze, model)] : []),
    ...(schedules.length > 0 ? [watchPlateaus<M>((epoch) => stages.optimizer(epoch), task)] : []),
    ...(stopping ? [earlyStopping<M>(stopping, task)] : []),
  ] as Method<M>[];
  assertMethods({ ...options, methods });
  const stages = new Stages<M>({ ...run, methods });
  assertAccumulation(options.accumulate, stages.allHooks);
  assertLossOptions(options.loss ?? {}, task);
  return { methods, stages };
}

/** @throws {OptionError} If it is no number of batches, or a method does the whole step its own way. */
function assertAccumulation<M extends string>(accumulate = 1, methods: readonly Method<M>[]): void {
  const refuse = (problem: string, accepted: string): never => {
    throw new OptionError(`\`accumulate\` is ${accumulate}${problem}`, {
      option: 'accumulate',
      value: accumulate,
      accepted,
    });
  };
  if (!(Number.isInteger(accumulate) && accumulate >= 1))
    refuse('; it must be a whole number of at least 1.', 'a whole number ≥ 1');
  const own = methods.find(({ step }) => step);
  if (own && accumulate > 1)
    refuse(
      `, but the method "${own.name}" does the whole step its own way, on one batch. Set \`accumulate\` to 1, or take a larger batch.`,
      '1',
    );
}
