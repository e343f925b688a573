import { OptionError } from '@g2d/core';
import { predictorAt, type Predictor } from '@g2d/trainer';
import type { CheckpointLabel } from './node/checkpoints/checkpoint.js';
import { readCheckpoint } from './node/checkpoints/read-checkpoint.js';
import { RunFolder } from './node/run-folder.js';
import { fromCheckpoint } from './checkpoint-state.js';
import type { RunConfig } from './config-schema.js';
import { openRun, type OpenedRun } from './open-run.js';
import { planRun } from './plan-run.js';
import { parseConfig } from './read-config.js';
import { trainingOptions } from './training-options.js';
import { assertTrusted, modulesOf } from './trust.js';

/** A run with the weights of one of its checkpoints. */
export interface LoadedRun extends OpenedRun {
  readonly config: RunConfig;
  /** Of whose weights these are; `null` for a run without training. */
  readonly epoch: number | null;
  /** A sentence for each checkpoint that is newer but damaged; empty as a rule. Show them. */
  readonly warnings: readonly string[];
  /** What it predicts with: its model, or its method. */
  readonly predict: Predictor<string>;
}

/**
 * Opens a run folder to use what it has learned: its model, its data, its predictions.
 *
 * @param path The run folder.
 * @param options `checkpoint`: default the one that the run has selected, or the last while it is not finished. `changes`: settings
 * that stand above the recorded ones, such as `dataset.root`. `trust`: whether modules that the folder names may be loaded; default false,
 * as it may be anybody's.
 * @throws {OptionError} If it is no run folder, has no such checkpoint, or names modules and is not trusted.
 * @example
 * const run = await loadRun('runs/g2d');
 * const { accuracy } = await evaluate(run.predict, run.data.test);
 */
export async function loadRun(
  path: string,
  {
    checkpoint,
    changes = {},
    trust = false,
  }: {
    readonly checkpoint?: CheckpointLabel;
    readonly changes?: Readonly<Record<string, unknown>>;
    readonly trust?: boolean;
  } = {},
): Promise<LoadedRun> {
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
  const trained = config.epochs > 0;
  const label = checkpoint ?? summary?.checkpoint ?? 'last';
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
    const predict = await predictorAt({
      ...(await trainingOptions(run)),
      ...(state && { resume: state }),
    });
    const epoch = state ? epochOf(state.position) : null;
    return { ...run, config, epoch, warnings: found?.warnings ?? [], predict };
  } catch (error) {
    await run.close();
    throw error;
  }
}

/** The last epoch of which steps are in a state. */
const epochOf = ({ epoch, batch }: { readonly epoch: number; readonly batch: number }): number =>
  batch === 0 ? epoch - 1 : epoch;
