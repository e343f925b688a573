import { OptionError, shown } from '@g2d/core';
import type { TrainingState } from '@g2d/trainer';
import { fromCheckpoint, type RunProgress } from './checkpoint-state.js';
import type { RunConfig } from './config-schema.js';
import { firstDifference } from './differences.js';
import { describeEnvironment } from './environment.js';
import { asRecorded } from './method-names.js';
import { readCheckpoint } from './node/checkpoints/read-checkpoint.js';
import type { RunFolder, RunSummary } from './node/run-folder.js';
import { settlePrecision } from './precision.js';
import { parseConfig } from './read-config.js';

/** Where a run begins or goes on. */
export interface Place {
  /** What it is trained with from here on: nothing is left to be chosen. */
  readonly config: RunConfig;
  /** What it came to, if it is finished. */
  readonly finished?: RunSummary;
  /** The state that it goes on from; it begins without one. */
  readonly state?: TrainingState & RunProgress;
  /** Whether the state is not that of the newest checkpoint, which is damaged. */
  readonly isDamaged?: boolean;
  /** For the user. */
  readonly notes: readonly string[];
}

/**
 * Looks where the run in a folder is, and settles the configuration that it goes on with.
 *
 * @throws {OptionError} If the folder holds a run and `resume` is not asked for, the run began with other settings, or this machine
 * cannot train with them.
 */
export function findPlace(
  folder: RunFolder,
  wanted: RunConfig,
  { resume }: { readonly resume: boolean },
): Place {
  const { path } = folder;
  const recorded = folder.config();
  const finished = folder.summary();
  const begun = recorded && resume ? parseConfig(recorded, { where: `${path}/config.json` }) : undefined;
  // A finished run is not trained again.
  const settled = settlePrecision(asRecorded(wanted), { begun, trains: !finished });
  const { notes } = settled;
  const last = recorded && !finished ? readCheckpoint(folder.checkpoints, 'last') : undefined;
  if (!recorded) return settled;
  // A run that was not saved once has nothing to lose: it begins anew, with whatever settings.
  if (!finished && !last) {
    folder.assertUnsaved(firstSave(begun ?? parseConfig(recorded, { where: `${path}/config.json` })));
    return settled;
  }
  if (!begun) {
    throw new OptionError(
      finished
        ? `${path} holds a finished run. Give another folder with --out, or delete it.`
        : `${path} holds a run that is not finished. Go on with it (--resume), or give another folder with --out.`,
      { option: 'out', value: path, accepted: 'a new or empty folder' },
    );
  }
  const config = withRecordedOrder(settled.config, begun);
  const other = firstDifference(begun, config);
  if (other) {
    throw new OptionError(
      `The run in ${path} began with "${other.key}" ${written(other.begun)}, but now it is ${written(other.now)}. A run goes on with the settings that it began with; for others begin a new one with --out.`,
      { option: other.key, value: other.now, accepted: written(other.begun) },
    );
  }
  if (finished || !last) return { config, ...(finished && { finished }), notes };
  const { backend } = describeEnvironment();
  const before = recorded.environment?.backend;
  const moved =
    before === backend
      ? []
      : [
          `The run began on the backend ${before}, and goes on on ${backend}: its numbers will not be those of one backend.`,
        ];
  return {
    config,
    state: fromCheckpoint(last),
    isDamaged: last.warnings.length > 0,
    notes: [...notes, ...last.warnings, ...moved],
  };
}

/** After how many epochs a run saves itself for the first time. */
const firstSave = ({ checkpoints: { every, keepEvery = every }, evaluation, epochs }: RunConfig) => ({
  saved: Math.min(every, keepEvery, epochs),
  scored: Math.min(evaluation.every, epochs),
});

/** Without a list of modalities they follow from the encoders, which are compared; their order is the dataset's. */
function withRecordedOrder(config: RunConfig, { modalities }: RunConfig): RunConfig {
  const isSame = !config.modalities || sameNames(config.modalities, modalities ?? []);
  return isSame && modalities ? { ...config, modalities } : config;
}

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  [...new Set(a)].sort().join() === [...new Set(b)].sort().join();

const written = (value: unknown): string => (value === undefined ? 'not set' : shown(value));
