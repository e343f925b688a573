import { checkKeys, OptionError, type Split } from '@g2d/core';
import { predictorAt, type Predictor } from '@g2d/trainer';
import type { CheckpointLabel } from './node/checkpoints/checkpoint.js';
import { readCheckpoint } from './node/checkpoints/read-checkpoint.js';
import { RunFolder } from './node/run-folder.js';
import { fromCheckpoint } from './checkpoint-state.js';
import type { RunConfig } from './config-schema.js';
import { assertOwnCheckpoint } from './continue-run.js';
import { assertUnchanged, dataDifferences, moduleDifferences } from './identity.js';
import { loadInitialWeights } from './initial-weights.js';
import { openRun, type OpenedRun } from './open-run.js';
import { planRun } from './plan-run.js';
import { parseConfig } from './read-config.js';
import { trainingOptions } from './training-options.js';
import { assertTrusted, modulesOf } from './trust.js';

/** A run with the weights of one of its checkpoints. */
export interface LoadedRun extends OpenedRun {
  readonly config: RunConfig;
  /** Of whose weights these are; 0 for the initial ones, `null` for a run without training. */
  readonly epoch: number | null;
  /** What it predicts with: its model, or its method. */
  readonly predict: Predictor<string>;
  /** In what each split differs from the one that the run began with, in words; classes of another order have the run's ids. */
  readonly differences: Partial<Readonly<Record<Split, string>>>;
  /** What else is other than it was, cannot be told, or is damaged: sentences for the user. */
  readonly notes: readonly string[];
}

/**
 * Opens a run folder to use what it has learned: its model, its data, its predictions.
 *
 * @param path The run folder.
 * @param options `checkpoint`: default the one that the run has selected, or the last while it is not finished; `'initial'`: the weights that
 * it began with, made anew from its seed and, where its encoders began with those of a file, from that. `changes`: settings
 * that stand above the recorded ones, such as `dataset.root`. `trust`: whether modules that the folder names may be loaded; default false,
 * as it may be anybody's.
 * @throws {OptionError} If it is no run folder, has no such checkpoint, or names modules and is not trusted; if the data have a class that the
 * run has not, or a module of its model has changed since (`allowChanged` among the changes opens it all the same).
 * @example
 * const run = await loadRun('runs/g2d');
 * const { accuracy } = await evaluate(run.predict, run.data.test);
 */
export async function loadRun(
  path: string,
  options: {
    readonly checkpoint?: CheckpointLabel | 'initial';
    readonly changes?: Readonly<Record<string, unknown>>;
    readonly trust?: boolean;
  } = {},
): Promise<LoadedRun> {
  const {
    checkpoint,
    changes = {},
    trust = false,
  } = checkKeys(options, { checkpoint: true, changes: true, trust: true }, 'loadRun');
  const folder = new RunFolder(path);
  const recorded = folder.config();
  if (!recorded) {
    throw new OptionError(`${path} is no run folder: it has no config.json. Give what \`g2d train\` wrote.`, {
      option: 'run',
      value: path,
      accepted: 'a run folder',
    });
  }
  const config = parseConfig(recorded, { where: `${path}/config.json`, changes });
  assertTrusted(modulesOf(config), path, { trust });
  const summary = folder.summary();
  const isInitial = checkpoint === 'initial';
  const trained = config.epochs > 0 && !isInitial;
  const label = (isInitial ? undefined : checkpoint) ?? summary?.checkpoint ?? 'last';
  const found = trained ? readCheckpoint(folder.checkpoints, label) : undefined;
  if (trained && !found) {
    throw new OptionError(`The run ${path} has no checkpoint "${label}" yet.`, {
      option: 'checkpoint',
      value: label,
      accepted: 'last, best, or epoch- and at least four digits',
    });
  }
  const run = await openRun(await planRun(config), { folder, teachers: 'copied', trust });
  try {
    const state = found && fromCheckpoint(found);
    if (state) assertOwnCheckpoint(folder, state);
    else loadInitialWeights(run, config);
    const compared = compareLoaded(run, config);
    const predict = await predictorAt({
      ...(await trainingOptions(run, { teacherOutputs: 'online' })),
      ...(state && { resume: state }),
    });
    const epoch = state ? epochOf(state.position) : config.epochs > 0 ? 0 : null;
    const notes = [...(found?.warnings ?? []), ...compared.notes];
    return { ...run, ...compared, notes, config, epoch, predict };
  } catch (error) {
    await run.close();
    throw error;
  }
}

/** Other data are what an evaluation may be for; another model is none of the run's. */
function compareLoaded(
  { folder, identity: now }: OpenedRun,
  config: RunConfig,
): Pick<LoadedRun, 'differences' | 'notes'> {
  const { identity: before } = folder.config() ?? {};
  if (!before) {
    const note = `The run in ${folder.path} is of an earlier version, which did not record its data: whether these are the same cannot be told.`;
    return { differences: {}, notes: [note] };
  }
  const since = `the run in ${folder.path} began`;
  const { path = '' } = config.dataset;
  const { [path]: ownData, ...others } = before.modules ?? {};
  const changed = moduleDifferences(others, now.modules ?? {}, since);
  assertUnchanged(changed, config, 'Put back what there was');
  const data = ownData === undefined ? [] : moduleDifferences({ [path]: ownData }, now.modules ?? {}, since);
  return { differences: dataDifferences(before.data, now.data), notes: [...changed, ...data] };
}

/** The last epoch of which steps are in a state. */
const epochOf = ({ epoch, batch }: { readonly epoch: number; readonly batch: number }): number =>
  batch === 0 ? epoch - 1 : epoch;
