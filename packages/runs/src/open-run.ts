import { OptionError, type Method } from '@g2d/core';
import type { FrozenTeachers } from '@g2d/trainer';
import { assertMethods, disposeState } from '@g2d/trainer/internal';
import { RunFolder } from './node/run-folder.js';
import { assertMethodOptions, buildMethods } from './build-methods.js';
import { buildModel, factsOf, modalitiesOf, type BuiltModel } from './build-model.js';
import type { RunConfig } from './config-schema.js';
import { once } from './once.js';
import { openData, type RunData } from './open-data.js';
import { readTeachers, startTeachers, type Teachers } from './teachers.js';

/** Everything that a configuration describes, ready to be trained or evaluated. */
export interface OpenedRun extends BuiltModel {
  readonly data: RunData;
  readonly methods: readonly Method<string>[];
  /** Whether a method asked for teachers. */
  readonly needsTeachers: boolean;
  /** The teachers' runs; read once. */
  readonly teachersOf: () => Teachers;
  /** The teachers, ready to judge; started once. */
  readonly startTeachers: () => Promise<FrozenTeachers<string>>;
  /** Closes the data, and frees the model and the teachers. */
  close(): Promise<void>;
}

/**
 * Opens data, methods, model and teachers of a run. Nothing is written, but stored outputs of teachers in a run's own folder.
 *
 * @param options `folder`: the run's. `copies`: whether it holds copies of its teachers, which then stand in for the ones that the
 * configuration names.
 */
export async function openRun(
  config: RunConfig,
  { folder, copies }: { readonly folder: RunFolder; readonly copies: boolean },
): Promise<OpenedRun> {
  const data = await openData(config);
  const started: Promise<FrozenTeachers<string>>[] = [];
  try {
    assertMethodOptions(config);
    const modalities = modalitiesOf(config, data.train);
    const teachersOf = once(() =>
      readTeachers(config, factsOf(modalities, data.train), { copies: copies ? folder : undefined }),
    );
    const start = once(() => {
      const teachers = startTeachers(teachersOf(), config, { data, folder });
      started.push(teachers);
      return teachers;
    });
    const methods = await buildMethods(config);
    const needsTeachers = methods.some(({ needs }) => needs?.teachers);
    if (needsTeachers) teachersOf();
    const { task } = data.train;
    const { epochs } = config;
    assertMethods({ model: { modalities }, methods, teachers: needsTeachers, epochs, task, evaluate: true });
    assertValidation(config, methods, data);
    if (epochs === 0 && !methods.some(({ forward }) => forward)) {
      throw new OptionError(
        '"epochs" is 0, so nothing would be trained; only a method that predicts by itself (ume) has none.',
        {
          option: 'epochs',
          value: 0,
          accepted: 'a whole number ≥ 1',
        },
      );
    }
    const predicting = methods.find(({ forward, needs }) => forward && needs?.teachers);
    if (predicting && config.teacherOutputs === 'stored') {
      throw new OptionError(
        `The method "${predicting.name}" predicts with its teachers, whose stored outputs are of the training split alone. Set "teacherOutputs" to "online".`,
        { option: 'teacherOutputs', value: 'stored', accepted: '"online"' },
      );
    }
    const built = await buildModel(config, data.train, methods);
    return {
      ...built,
      data,
      methods,
      needsTeachers,
      teachersOf,
      startTeachers: start,
      close: async () => {
        await disposeAll(started);
        disposeState(built.model);
        await data.close();
      },
    };
  } catch (error) {
    await disposeAll(started);
    await data.close();
    throw error;
  }
}

async function disposeAll(started: readonly Promise<FrozenTeachers<string>>[]): Promise<void> {
  for (const teachers of await Promise.allSettled(started)) {
    if (teachers.status === 'fulfilled') teachers.value.dispose();
  }
}

/** @throws {OptionError} If a method reads the validation scores of every epoch, and there are none. */
function assertValidation(
  { evaluation: { every, splits } }: RunConfig,
  methods: readonly Method<string>[],
  { validation }: RunData,
): void {
  const reader = methods.find(({ needs }) => needs?.validation);
  if (!reader || (validation && every === 1 && splits.includes('validation'))) return;
  throw new OptionError(
    `The method "${reader.name}" reads the validation scores of every epoch. ${validation ? 'Set "evaluation.every" to 1, with "validation" among its "splits".' : 'This dataset has no validation split: hold one out.'}`,
    { option: 'evaluation', value: { every, splits }, accepted: '{ "every": 1 } with a validation split' },
  );
}
