import { OptionError, type Method, type Model, ownValue } from '@g2d/core';
import { createOptimizer } from '@g2d/tensor-ops';
import { staged } from '@g2d/trainer/internal';
import type { RunConfig } from './config-schema.js';
import type { RunData } from './open-data.js';
import type { RunPlan } from './plan-run.js';
import { trainSettings } from './train-settings.js';

/**
 * Checks what can be known of a run once its data are open and its model is there, before anything is written or trained.
 *
 * @throws {OptionError} If a method or a setting cannot work with the task, the model or the splits, or teachers would judge other inputs.
 */
export function checkOpened(
  { config, methods, needsTeachers }: RunPlan,
  {
    model,
    data,
    processes,
  }: { readonly model: Model<string>; readonly data: RunData; readonly processes: number },
): void {
  const { task } = data.train;
  const { epochs } = config;
  const settings = trainSettings(config, { data, modalities: model.modalities });
  staged({
    ...settings,
    model,
    methods,
    teachers: needsTeachers,
    epochs,
    task,
    allReduce: { processes },
    // What there is of a validation split is checked below.
    evaluate: true,
    everyValidationSample: true,
  });
  createOptimizer(model, settings.optimizer).dispose();
  assertValidation(config, methods, data);
  if (!needsTeachers || config.teacherOutputs !== 'stored') return;
  for (const modality of model.modalities) assertNotAugmented(modality, config, data);
}

/** @throws {OptionError} If a method reads the validation scores of every epoch, or the samples of that split, and there are none. */
function assertValidation(
  { evaluation: { every, splits } }: RunConfig,
  methods: readonly Method<string>[],
  { validation }: RunData,
): void {
  const looking = methods.find(({ needs }) => needs?.validation === 'features');
  if (looking && !validation)
    throw new OptionError(
      `The method "${looking.name}" looks at the samples of the validation split, and this dataset has none: hold one out.`,
      { option: 'methods', value: looking.name, accepted: 'a dataset with a validation split' },
    );
  const reader = methods.find(({ needs }) => needs?.validation === 'every-epoch');
  if (!reader || (validation && every === 1 && splits.includes('validation'))) return;
  throw new OptionError(
    `The method "${reader.name}" reads the validation scores of every epoch. ${validation ? 'Set "evaluation.every" to 1, with "validation" among its "splits".' : 'This dataset has no validation split: hold one out.'}`,
    { option: 'evaluation', value: { every, splits }, accepted: '{ "every": 1 } with a validation split' },
  );
}

function assertNotAugmented(
  modality: string,
  { data: { transform, augment } }: RunConfig,
  { train }: RunData,
): void {
  const own = transform === 'train' && train.augmented?.includes(modality);
  if (!own && !ownValue(augment, modality)) return;
  throw new OptionError(
    `"teacherOutputs" is "stored", but ${modality} is augmented at random, so that a teacher would judge other inputs than the student sees. Use "online", or switch the augmentation off ("data.transform": "test", no "data.augment").`,
    { option: 'teacherOutputs', value: 'stored', accepted: '"online"' },
  );
}
